# The C types of paths_py.py when it is compiled as paths_c.

cimport cython


@cython.locals(items=dict, path=str, below=str)
cpdef scope_path(scope)

@cython.locals(path=str)
cpdef environ_path(environ)

@cython.locals(path=str)
cpdef single_slash_path(environ)

cdef object _NO_KEY
cdef bytes _HOST
cdef str _BELOW, _IN_LABEL
cdef Py_ssize_t _HOST_LENGTH, _LONGEST_HOST, _LONGEST_LABEL, _MAX_KNOWN

@cython.locals(name=bytes)
cpdef host_of(headers)

@cython.locals(host=str, port=str, colon=Py_ssize_t)
cpdef str host_name(value)


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

    @cython.locals(text=str, resolved=str)
    cpdef find(self, path)

    cpdef find_scope(self, scope)

    cpdef find_environ(self, environ)

    @cython.locals(
        segment=Segment, found=Segment, below=dict, start=Py_ssize_t, end=Py_ssize_t
    )
    cdef _find(self, str path)


@cython.final
cdef class HostTable:
    cdef object _ambiguous
    cdef PathTable _rest, _no_keys
    cdef dict _literals, _below, _known

    @cython.locals(text=str, resolved=str, table=PathTable)
    cpdef find(self, path, host)

    cpdef find_scope(self, scope)

    cpdef find_environ(self, environ)

    @cython.locals(name=str, table=PathTable)
    cdef PathTable _learned(self, host)

    @cython.locals(table=PathTable, dot=Py_ssize_t)
    cdef PathTable _table(self, str host)

    cdef _at(self, PathTable table, str path)


@cython.locals(char=Py_UCS4, length=Py_ssize_t)
cdef bint _is_domain(str host) except -1


@cython.locals(previous=Py_UCS4, char=Py_UCS4)
cdef bint _may_resolve(str path) except -1
