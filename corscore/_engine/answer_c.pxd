# The C types of answer_py.py when it is compiled as answer_c.
# Headers stay untyped: an application may send what is no list, and a typed argument would raise.

cimport cython

cdef Py_ssize_t _VARY_LENGTH, _SHORTEST_CORS_LENGTH
cdef bytes _A, _V, _ALLOW_ORIGIN
cdef str _RESPONSE_START, _ALLOW_ORIGIN_TEXT, _LATIN_1


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
    cdef readonly dict start, end

    @cython.locals(headers=list)
    cpdef list raw(self, origin)

    @cython.locals(theirs=list, merged=list, name=bytes, length=Py_ssize_t)
    cpdef list apply_raw(self, headers, origin=*, on_conflict=*)

    @cython.locals(theirs=list, merged=list, name=str, length=Py_ssize_t)
    cpdef list apply(self, headers, origin=*, on_conflict=*)

    cpdef tuple own(self, origin)
