# The C types of matcher_py.py when it is compiled as matcher_c.

cimport cython

cdef Py_ssize_t _MAX_ORIGIN_LENGTH, _MAX_SCHEME_LENGTH, _MAX_HOST_LENGTH
cdef Py_ssize_t _MAX_LABEL_LENGTH, _MAX_PORT_LENGTH, _MAX_LAST_LENGTH
cdef int _DOT, _ZERO, _NINE, _COLON, _BRACKET
cdef bytes _IN_LABEL
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
