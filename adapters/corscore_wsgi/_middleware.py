"""The WSGI middleware: carries a request to the policy, and its decision to the response.

https://peps.python.org/pep-3333/
"""

from __future__ import annotations

from http import HTTPStatus
from typing import TYPE_CHECKING

from corscore import Policy, RequestInfo
from corscore.integration import Governor, Notices, environ_getter, policies_from
from corscore_wsgi._governed import DecisionStarter, no_starter, path_of, request_context

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from typing import Any

    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment
    from typing_extensions import Unpack

    from corscore import Decision
    from corscore.integration import OnDecision, Policies, PolicyOptions, RequestContext

# The key of `environ` by which an application finds the decision about its request. It is made only
# for those who ask.
_POLICY = "corscore.policy"
# And where it is, with the policy that it is of, where a resolver may have had its say in it.
_DECISION = "corscore.decision"

_STATUS_LINES = {status.value: f"{status.value} {status.phrase}" for status in HTTPStatus}


class CORSMiddleware:
    """Puts a CORS policy around a WSGI application.

    Preflights are answered here; every other request reaches the application, whose response gets
    its headers as it starts. Nothing is buffered: the iterable that the application returns is the
    one that the server gets, file wrappers and ``close`` included.

    Args:
        app: A WSGI application.
        policy: A ready policy, a ``PolicyMap`` or a ``PolicyRef``; or leave it out and write the
            options of a policy.
        on_decision: ``fn(decision, request)``, called for every request that a policy governs.
        shadow: Policies to compare with: requests on which a browser would be treated differently
            are logged.
        block_cross_site: Whether to refuse, with 403, requests that pages of other sites make
            with the visitor's cookies, and that CORS itself lets pass.
        own_origins: Further origins of the site itself, for ``block_cross_site``.
        options: Keyword arguments of ``corscore.Policy``.

    Raises:
        ConfigError: With all that is wrong with the options.
        TypeError: When both a policy and options, or something that is no policy, are given.
    """

    policy: Policy
    """The policy, where one plain ``Policy`` was given; for all others see ``governor``."""

    def __init__(
        self,
        app: WSGIApplication,
        policy: Policies | None = None,
        *,
        on_decision: OnDecision | None = None,
        shadow: Policies | None = None,
        block_cross_site: bool = False,
        own_origins: list[str] | tuple[str, ...] | set[str] | frozenset[str] = (),
        **options: Unpack[PolicyOptions],
    ) -> None:
        self.app = app
        self.notices: Notices = Notices()
        self.governor: Governor = Governor(
            policies_from("CORSMiddleware(app, ...)", policy, options),
            is_async=False,
            on_decision=on_decision,
            shadow=shadow,
            block_cross_site=block_cross_site,
            own_origins=own_origins,
        )
        self._on_conflict = self.notices.conflict
        # Chosen here, once: a plain policy's requests pass nothing of what is below.
        self._starter: Callable[[Any, Any], Any] = no_starter
        if isinstance(self.governor.policies, Policy):
            self.policy = self.governor.policies
        if self.governor.plain is not None:
            gateway = self.governor.plain.gateway(self._on_conflict, self._note_refusal)
            self._starter = gateway.starter

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        """Serves one request."""
        # In variables first, and `type` rather than isinstance: Python calls them in half the time.
        starter = self._starter
        answer = starter(environ, start_response)
        if type(answer) is not tuple:
            environ[_POLICY] = self.policy
            app = self.app
            return app(environ, answer)
        if not answer:
            return self._serve_governed(environ, start_response)
        environ[_POLICY] = self.policy
        status, headers, body = answer
        start_response(_STATUS_LINES[status], headers)
        return [body]

    def govern_all(self) -> None:
        """Takes every request the long way, through ``policy_at``: for a subclass with routes."""
        self._starter = no_starter

    def path_of(self, environ: WSGIEnvironment) -> str:
        """The path that policies are looked up by: as the application routes it, below its mount.

        A subclass whose framework routes another path than the one that was sent says so here.
        """
        return path_of(environ)

    def policy_at(self, request: RequestContext) -> Policy | None:
        """What governs a request; None leaves it alone. A subclass may know of routes.

        Args:
            request: Its ``native`` is the environ.
        """
        return self.governor.policy_for(request.path)

    def _note_refusal(self, environ: WSGIEnvironment) -> None:
        request = request_context(environ, environ_getter(environ), self.path_of(environ))
        self.governor.note_refusal(self.policy, request)

    def _serve_governed(
        self, environ: WSGIEnvironment, start_response: StartResponse
    ) -> Iterable[bytes]:
        request = request_context(environ, environ_getter(environ), self.path_of(environ))
        policy = self.policy_at(request)
        if policy is None:
            self.governor.leave_alone(request)
            return self.app(environ, start_response)
        outcome = self.governor.govern(policy, request)
        environ[_POLICY] = policy
        environ[_DECISION] = (policy, outcome.decision)
        if outcome.response is not None:
            status, headers, body = outcome.response
            start_response(_STATUS_LINES[status], list(headers))
            return [body]
        starter = DecisionStarter(outcome.decision, start_response, self._on_conflict)
        return self.app(environ, starter)


def decision_of(environ: WSGIEnvironment) -> Decision | None:
    """The decision about a request that passed a policy, or None for any other request."""
    policy: Policy | None = environ.get(_POLICY)
    if policy is None:
        return None
    made: tuple[Policy, Decision] | None = environ.get(_DECISION)
    # Of two layers, one in the other, the inner one has written the policy last.
    if made is not None and made[0] is policy:
        return made[1]
    return policy.decide(request_info(environ))


def request_info(environ: WSGIEnvironment) -> RequestInfo:
    """What a policy reads of a request."""
    return RequestInfo.from_environ(environ["REQUEST_METHOD"], environ)
