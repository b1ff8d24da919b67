# The C types of gateway_py.py when it is compiled as gateway_c.
# Arguments that carry request data stay untyped at the boundary: a typed one would raise.

cimport cython

from corscore._engine.answer_c cimport Answer
from corscore._engine.paths_c cimport HostTable, PathTable
from corscore._engine.responder_c cimport OriginTable, Responder

cdef Py_ssize_t _ORIGIN_LENGTH, _REQUEST_METHOD_LENGTH
cdef bytes _A, _O, _ORIGIN, _REQUEST_METHOD
cdef str _PREFLIGHT_METHOD, _RESPONSE_START
cdef frozenset _SAFE_METHODS


@cython.locals(name=bytes)
cpdef origin_of(headers)

@cython.locals(name=bytes, length=Py_ssize_t, asks=bint)
cpdef asking_origin_of(headers)

cdef _value(value, earlier)

cpdef bytes sent(str value)

@cython.locals(start=dict)
cdef tuple _messages(Answer answer, origin)

@cython.locals(sender=Sender)
cdef Sender _prepared(Answer answer, origin, send, on_conflict)


@cython.final
cdef class Gateway:
    cdef Responder _quick
    cdef PathTable _table
    cdef HostTable _hosts
    cdef object _source, _policy, _extras, _on_conflict, _path_of, _host_of, _by_route, _later
    cdef bint _is_reference, _examines_all, _blocks_cross_site, _awaits_all, _is_watched, _chooses

    @cython.locals(table=PathTable, hosts=HostTable)
    cpdef policy_for(self, native, bint is_scope)

    @cython.locals(table=OriginTable)
    cpdef chosen(self, source, native, origin)

    @cython.locals(responder=Responder, answer=Answer, is_refused=bint)
    cpdef Answer answer(
        self, policy, verdict, native, method, origin, bint is_preflight, asked, bint is_resumed
    )

    @cython.locals(
        responder=Responder, answer=Answer, sender=Sender, is_preflight=bint, is_quick=bint
    )
    cpdef sender(self, scope, send)

    cdef _found(self, scope)

    @cython.locals(is_preflight=bint)
    cpdef sender_for(self, policy, scope, send)

    cdef _without_policy(self, source, scope, send)

    cpdef resume(self, verdict, tuple waiting)

    @cython.locals(answer=Answer)
    cdef _answered(
        self, verdict, policy, scope, send, origin, bint is_preflight, asked, bint is_resumed
    )

    cdef _left_alone(self, native, passed_on)

    @cython.locals(sender=LateSender)
    cdef _deferred_sender(self, scope, send)

    @cython.locals(answer=Answer, starter=Starter)
    cpdef starter(self, environ, start_response)

    @cython.locals(responder=Responder, is_preflight=bint)
    cpdef Answer answer_to(self, policy, verdict, native, environ, text, bint is_resumed)

    @cython.locals(starter=Starter)
    cdef Starter _deferred_starter(self, environ, start_response)


@cython.final
@cython.freelist(64)
cdef class Sender:
    cdef readonly Answer answer
    cdef object _origin, _send, _on_conflict

    @cython.locals(answer=Answer, theirs=dict, start=dict)
    cpdef send(self, message)


@cython.final
@cython.freelist(64)
cdef class LateSender:
    cdef Gateway _gateway
    cdef object _origin, _send, _scope, _find

    @cython.locals(gateway=Gateway, answer=Answer)
    cpdef send(self, message)


@cython.final
@cython.freelist(64)
cdef class Starter:
    cdef readonly bint has_started
    cdef readonly Answer answer
    cdef Gateway _gateway
    cdef object _origin, _start_response, _on_conflict, _environ, _find
