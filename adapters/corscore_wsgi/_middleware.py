"""The WSGI middleware: passes requests to the gateway, and adds its headers to responses.

https://peps.python.org/pep-3333/
"""

from __future__ import annotations

import sys
from http import HTTPStatus
from types import GeneratorType
from typing import TYPE_CHECKING

from corscore import Policy, RequestInfo
from corscore.integration import Governor, Notices, environ_path, found_decision, read_arguments

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Iterable, Iterator
    from typing import Any

    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment
    from typing_extensions import Unpack

    from corscore import Decision
    from corscore.integration import AdapterOptions, PathPolicy, Policies

_STATUS_LINES = {status.value: f"{status.value} {status.phrase}" for status in HTTPStatus}
_ERROR = b"Internal Server Error"
_ERROR_TYPE = (
    ("Content-Type", "text/plain; charset=utf-8"),
    ("Content-Length", str(len(_ERROR))),
)


class CORSMiddleware:
    """A CORS policy around a WSGI application.

    Preflights are answered here; every other request reaches the application, whose response gets
    its headers as it starts. Nothing is buffered: the server gets the iterable that the application
    returns, file wrappers and ``close`` included. A generator is run up to its first chunk. If the
    application raises, a page of another origin that the policy allows gets a plain 500 with the
    headers. After its body the exception is raised again, so that the server sees it. With
    ``debug=True`` it is raised at once.

    Args:
        app: A WSGI application.
        policy: A ready policy, a tuple of policies, a ``PolicyMap``, a ``PolicyResolver`` or a
            ``PolicyRef``; or leave it out and write the options of a policy.
        on_decision: ``fn(decision, request)``, called for every request that a policy governs.
        shadow: Policies on trial: requests that they would treat differently are logged.
        block_cross_site: Whether to answer 403 to requests that pages of other sites make with the
            visitor's cookies, and that CORS alone does not stop.
        own_origins: Further origins of the site itself, for ``block_cross_site``, resolvers
            and the log.
        options: Keyword arguments of ``corscore.Policy``.

    Raises:
        ConfigError: Options are wrong; it has every problem.
        TypeError: Both a policy and options are given, or something that is no policy.
    """

    policy: Policy
    """The policy if it is one plain ``Policy``; ``governor`` has all other kinds."""

    _answers_exceptions: bool = True
    """Whether an exception of the application is answered here, not by a framework's own layer."""

    def __init__(
        self,
        app: WSGIApplication,
        policy: Policies | None = None,
        **options: Unpack[AdapterOptions],
    ) -> None:
        self.app = app
        self.notices: Notices = Notices()
        cls = type(self)
        reads_natively = (
            cls.path_of is CORSMiddleware.path_of and cls.host_of is CORSMiddleware.host_of
        )
        policies, own = read_arguments("CORSMiddleware(app, ...)", policy, options)
        self.governor: Governor = Governor(
            policies,
            is_async=False,
            request_of=self.request_of,
            on_conflict=self.notices.conflict,
            # By itself the gateway reads the path below the mount, and the Host as it was sent.
            path_of=None if reads_natively else self.path_of,
            host_of=None if reads_natively else self.host_of,
            **own,
        )
        if isinstance(self.governor.policies, Policy):
            self.policy = self.governor.policies
        self._starter: Callable[[Any, Any], Any] = self.governor.gateway.starter

    def path_of(self, environ: WSGIEnvironment) -> str:
        """The path that policies are looked up by; a subclass returns what its framework routes."""
        return environ_path(environ)

    def host_of(self, environ: WSGIEnvironment) -> str | None:
        """The Host that policies are looked up by; a subclass returns what its framework reads."""
        host: str | None = environ.get("HTTP_HOST")
        return host

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        """Serve one request."""
        # For speed: attributes and `isinstance` cost Python twice as much as variables and `type`.
        starter = self._starter
        result = starter(environ, start_response)
        if type(result) is not tuple:
            try:
                body = self.app(environ, result)
                # A generator has not run yet, and often raises before its first chunk.
                return _started(body) if type(body) is GeneratorType else body
            except Exception:
                if not self._is_awaited(environ, result):
                    raise
                return _plain_500(result)
        status, headers, text = result
        start_response(_STATUS_LINES[status], headers)
        return [text]

    def _is_awaited(self, environ: WSGIEnvironment, start_response: Any) -> bool:
        """Whether a page of another origin waits for the answer to an exception."""
        if not self._answers_exceptions:
            return False
        policy, request = self.policy_at(environ), self.request_of(environ)
        return self.governor.is_awaited(self.governor.pending(policy, request, start_response))

    def request_of(self, environ: WSGIEnvironment) -> RequestInfo:
        """The request of an environ, for resolvers and observers."""
        return RequestInfo.from_environ(
            environ["REQUEST_METHOD"], environ, path_of=self.path_of, host_of=self.host_of
        )

    def policy_at(self, environ: WSGIEnvironment) -> PathPolicy:
        """The policy or policies of a request; None leaves it alone. Subclasses look up routes."""
        return self.governor.policies_for(self.request_of(environ), self.governor.policies)


def _started(chunks: Generator[bytes]) -> Iterable[bytes]:
    """Run a generator up to its first chunk, and return all of its chunks."""
    try:
        first = next(chunks)
    except StopIteration:
        return ()
    return _all_chunks(first, chunks)


def _all_chunks(first: bytes, chunks: Generator[bytes]) -> Iterator[bytes]:
    try:
        yield first
        yield from chunks
    finally:
        chunks.close()


def _plain_500(start_response: Any) -> Iterator[bytes]:
    """Start a plain 500 for the current exception, and return its body."""
    exc_info = sys.exc_info()
    try:
        start_response(_STATUS_LINES[500], list(_ERROR_TYPE), exc_info)
        return _error_body(exc_info[1])
    finally:
        # The traceback refers to this frame, and a reference back would be a cycle.
        del exc_info


def _error_body(error: BaseException | None) -> Iterator[bytes]:
    try:
        yield _ERROR
        if error is not None:
            raise error
    finally:
        del error


def decision_of(environ: WSGIEnvironment) -> Decision | None:
    """The decision on a request; None if the request is left alone, or passed no layer."""
    return found_decision(environ, RequestInfo.from_environ(environ["REQUEST_METHOD"], environ))
