# The C types of _gateway_py.py when it is compiled as _gateway_c.
# Arguments that carry request data stay untyped at the boundary: a typed one would raise.

cimport cython

from corscore._engine.answer_c cimport Answer
from corscore._engine.matcher_c cimport Matcher

cdef Py_ssize_t _ORIGIN_LENGTH, _REQUEST_METHOD_LENGTH
cdef bytes _A, _O, _ORIGIN, _REQUEST_METHOD
cdef str _PREFLIGHT_METHOD, _RESPONSE_START


@cython.locals(name=bytes)
cpdef origin_of(headers)

@cython.locals(name=bytes, length=Py_ssize_t, asks=bint)
cpdef asking_origin_of(headers)

cdef _value(value, earlier)


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

    @cython.locals(theirs=dict, start=dict)
    cpdef send(self, message)


@cython.final
@cython.freelist(64)
cdef class Starter:
    cdef readonly bint has_started
    cdef Answer _answer
    cdef object _origin, _start_response, _on_conflict
