# The C types of responder_py.py when it is compiled as responder_c.
# Arguments that carry request data stay untyped at the boundary: a typed one would raise.

cimport cython

from corscore._engine.answer_c cimport Answer
from corscore._engine.matcher_c cimport Matcher


@cython.final
cdef class Responder:
    cdef Matcher _matcher
    cdef readonly frozenset exact
    cdef object _other_origins, _late_answer, _debug_answer
    cdef bint _any_origin
    cdef readonly bint credentials, has_resolver, is_debug, reads_questions
    cdef readonly Answer not_cors, actual_allowed, preflight_allowed
    cdef Answer _actual_refused, _preflight_refused
    cdef Answer _blocked_not_cors, _blocked_allowed, _blocked_refused

    cpdef bint allows(self, origin) except -1

    cdef bint _allows(self, bytes origin) except -1

    @cython.locals(allowed=bint)
    cpdef Answer answer(self, origin, bint is_preflight, asked, verdict)

    cpdef Answer blocked(self, Answer answer)


@cython.final
cdef class OriginTable:
    cdef tuple _first
    cdef object _last

    @cython.locals(responder=Responder)
    cpdef find(self, origin)
