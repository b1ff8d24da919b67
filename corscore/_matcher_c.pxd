# The C types of _matcher_py.py when it is compiled as _matcher_c.
# Arguments that carry request data stay untyped at the boundary: a typed one would raise.

cimport cython

cdef Py_ssize_t _MAX_ORIGIN_LENGTH, _MAX_SCHEME_LENGTH, _MAX_HOST_LENGTH
cdef Py_ssize_t _MAX_LABEL_LENGTH, _MAX_PORT_LENGTH
cdef Py_ssize_t _ORIGIN_LENGTH, _REQUEST_METHOD_LENGTH, _VARY_LENGTH, _SHORTEST_CORS_LENGTH
cdef int _DOT, _SLASH, _ZERO, _NINE, _COLON, _BRACKET
cdef bytes _A, _O, _V, _IN_LABEL, _ORIGIN, _REQUEST_METHOD, _ALLOW_ORIGIN
cdef str _PREFLIGHT_METHOD, _RESPONSE_START
cdef dict _DEFAULT_PORTS
cdef frozenset _NO_SCHEMES


cdef class Matcher:
    cdef frozenset _exact
    cdef frozenset _any_port
    cdef dict _suffixes
    cdef dict _any_port_suffixes
    cdef bytes _depths
    cdef Py_ssize_t _max_depth
    cdef bint _is_open

    cpdef bint matches(self, origin)

    @cython.locals(
        length=Py_ssize_t,
        start=Py_ssize_t,
        end=Py_ssize_t,
        dot=Py_ssize_t,
        stop=Py_ssize_t,
        depth=Py_ssize_t,
        schemes=frozenset,
    )
    cdef bint _matches_open(self, bytes origin)


@cython.locals(i=Py_ssize_t)
cdef Py_ssize_t _start_of_host(bytes origin, Py_ssize_t length)

@cython.locals(i=Py_ssize_t, stop=Py_ssize_t)
cdef Py_ssize_t _end_of_host(bytes origin, Py_ssize_t start, Py_ssize_t length)

@cython.locals(i=Py_ssize_t, length=Py_ssize_t, number=int)
cdef bint _is_port(bytes origin, Py_ssize_t host, Py_ssize_t start)

@cython.locals(i=Py_ssize_t, length=Py_ssize_t)
cdef bint _are_labels(bytes origin, Py_ssize_t start, Py_ssize_t end)


cdef class Answer:
    cdef readonly str kind
    cdef readonly bint origin_allowed
    cdef readonly bint echoes_origin
    cdef readonly tuple pairs
    cdef readonly tuple vary
    cdef readonly int status
    cdef readonly bytes body
    cdef list _text, _raw

    @cython.locals(theirs=list, name=bytes, length=Py_ssize_t)
    cpdef list apply_raw(self, headers, origin=*, on_conflict=*)

    @cython.locals(theirs=list, name=str, length=Py_ssize_t)
    cpdef list apply(self, headers, origin=*, on_conflict=*)

    cpdef tuple own(self, origin)


cdef class Responder:
    cdef Matcher _matcher
    cdef object _other_origins, _late_answer, _debug_answer
    cdef bint _any_origin
    cdef tuple _not_cors, _any_actual, _any_preflight, _actual_refused, _preflight_refused
    cdef Answer _actual_allowed, _preflight_allowed

    cpdef bint allows(self, origin)

    @cython.locals(name=bytes, is_preflight=bint)
    cpdef tuple answer(self, method, headers)

    @cython.locals(answer=Answer, sender=Sender)
    cpdef Sender sender(self, scope, send, on_conflict)

    @cython.locals(env=dict, answer=Answer, starter=Starter)
    cpdef Starter starter(self, environ, start_response, on_conflict)

    cpdef tuple actual(self, origin)

    cpdef tuple preflight(self, origin, asked)


cdef bytes _sent(str value)


@cython.freelist(64)
cdef class Sender:
    cdef readonly tuple preflight
    cdef Answer _answer
    cdef object _origin, _send, _on_conflict


@cython.freelist(64)
cdef class Starter:
    cdef readonly tuple preflight
    cdef Answer _answer
    cdef object _origin, _start_response, _on_conflict
