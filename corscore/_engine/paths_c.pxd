# The C types of paths_py.py when it is compiled as paths_c.

cimport cython


@cython.locals(path=str, below=str)
cpdef scope_path(scope)

@cython.locals(path=str)
cpdef environ_path(environ)

@cython.locals(path=str)
cpdef single_slash_path(environ)


@cython.final
cdef class Segment:
    cdef public dict below
    cdef public bint has_policy
    cdef public object policy


@cython.final
cdef class PathTable:
    cdef object _ambiguous
    cdef dict _literals
    cdef Segment _root

    @cython.locals(path=str, resolved=str)
    cpdef find(self, path)

    cpdef find_scope(self, scope)

    cpdef find_environ(self, environ)

    @cython.locals(
        segment=Segment, found=Segment, below=dict, start=Py_ssize_t, end=Py_ssize_t
    )
    cdef _find(self, str path)


@cython.locals(previous=Py_UCS4, char=Py_UCS4)
cdef bint _may_resolve(str path) except -1
