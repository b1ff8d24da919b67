# The C types of _matcher_py.py when it is compiled as _matcher_c.
# Arguments that carry request data stay untyped at the boundary: a typed one would raise.

cimport cython

cdef Py_ssize_t _MAX_ORIGIN_LENGTH, _MAX_SCHEME_LENGTH, _MAX_HOST_LENGTH
cdef Py_ssize_t _MAX_LABEL_LENGTH, _MAX_PORT_LENGTH, _MAX_LAST_LENGTH
cdef Py_ssize_t _ORIGIN_LENGTH, _REQUEST_METHOD_LENGTH, _VARY_LENGTH, _SHORTEST_CORS_LENGTH
cdef int _DOT, _SLASH, _ZERO, _NINE, _COLON, _BRACKET
cdef bytes _A, _O, _V, _IN_LABEL, _ORIGIN, _REQUEST_METHOD, _ALLOW_ORIGIN
cdef str _PREFLIGHT_METHOD, _RESPONSE_START
cdef dict _DEFAULT_PORTS


@cython.final
cdef class Matcher:
    cdef readonly frozenset exact
    cdef frozenset _any_port
    cdef dict _suffixes
    cdef dict _any_port_suffixes
    cdef bytes _depths
    cdef Py_ssize_t _max_depth
    cdef bint _has_any_port, _is_open

    @cython.locals(
        length=Py_ssize_t, start=Py_ssize_t, end=Py_ssize_t, text="const unsigned char*"
    )
    cdef bint matches_open(self, bytes origin)

    @cython.locals(
        depth=Py_ssize_t,
        dot=Py_ssize_t,
        host=Py_ssize_t,
        start=Py_ssize_t,
        stop=Py_ssize_t,
        schemes=tuple,
        text="const unsigned char*",
    )
    cdef bint _is_below(self, bytes origin, Py_ssize_t end, dict suffixes)


@cython.locals(i=Py_ssize_t)
cdef Py_ssize_t _start_of_host(const unsigned char* origin, Py_ssize_t length)

@cython.locals(i=Py_ssize_t, stop=Py_ssize_t)
cdef Py_ssize_t _end_of_host(const unsigned char* origin, Py_ssize_t start, Py_ssize_t length)

@cython.locals(i=Py_ssize_t, number=int)
cdef bint _is_port(const unsigned char* origin, Py_ssize_t host, Py_ssize_t start, Py_ssize_t end)

@cython.locals(i=Py_ssize_t, length=Py_ssize_t)
cdef bint _are_labels(const unsigned char* origin, Py_ssize_t start, Py_ssize_t end)


@cython.locals(name=bytes)
cpdef origin_of(headers)

@cython.locals(name=bytes, length=Py_ssize_t, asks=bint)
cpdef asking_origin_of(headers)

cdef _value(value, earlier)


@cython.final
cdef class Answer:
    cdef readonly str kind
    cdef readonly bint origin_allowed
    cdef readonly bint echoes_origin
    cdef readonly tuple pairs
    cdef readonly tuple vary
    cdef readonly int status
    cdef readonly bytes body
    cdef list _text, _raw
    cdef dict start, end

    @cython.locals(headers=list)
    cpdef list raw(self, origin)

    @cython.locals(theirs=list, merged=list, name=bytes, length=Py_ssize_t)
    cpdef list apply_raw(self, headers, origin=*, on_conflict=*)

    @cython.locals(theirs=list, merged=list, name=str, length=Py_ssize_t)
    cpdef list apply(self, headers, origin=*, on_conflict=*)

    cpdef tuple own(self, bytes origin)


@cython.final
cdef class Responder:
    cdef Matcher _matcher
    cdef readonly frozenset exact
    cdef object _other_origins, _late_answer, _debug_answer
    cdef bint _any_origin, reads_questions
    cdef readonly Answer not_cors, actual_allowed
    cdef Answer _actual_refused, _preflight_allowed, _preflight_refused

    cpdef bint allows(self, origin)

    cdef bint _allows(self, bytes origin)

    @cython.locals(answer=Answer)
    cpdef tuple answer(self, method, headers)

    cpdef Answer actual(self, origin)

    cpdef Answer preflight(self, origin, asked)


cdef bytes _sent(str value)


@cython.final
cdef class Gateway:
    cdef Responder _responder
    cdef frozenset _exact
    cdef Answer _not_cors, _actual_allowed
    cdef object _on_conflict, _on_refusal
    cdef dict _quiet_until

    @cython.locals(answer=Answer, sender=Sender, start=dict)
    cpdef sender(self, scope, send)

    @cython.locals(env=dict, answer=Answer, starter=Starter)
    cpdef starter(self, environ, start_response)

    @cython.locals(now=double, quiet_until=dict)
    cdef _note_refusal(self, bytes origin, request)


@cython.final
@cython.freelist(64)
cdef class Sender:
    cdef Answer _answer
    cdef object _origin, _send, _on_conflict

    @cython.locals(start=dict)
    cpdef send(self, message)


@cython.final
@cython.freelist(64)
cdef class Starter:
    cdef readonly bint has_started
    cdef Answer _answer
    cdef object _origin, _start_response, _on_conflict
