"""One request that more than one plain policy is about: carried to the governor, and back."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from django.http import HttpResponse
from django.utils.cache import patch_vary_headers

from corscore.integration import RequestContext, environ_getter
from corscore_django._exchange import Exchange
from corscore_django._routes import policy_for
from corscore_django._views import NO_ROUTE
from corscore_django.signals import check_request_enabled

if TYPE_CHECKING:
    from django.http import HttpRequest
    from django.http.response import HttpResponseBase

    from corscore import Policy
    from corscore.integration import Governor, Notices, Outcome
    from corscore_django._configuration import Configuration

# To a preflight whose route could not be looked up, under whatever policy: no browser goes on.
_NO_ANSWER = (
    403,
    (
        ("Content-Length", "0"),
        ("Content-Type", "text/plain; charset=utf-8"),
        ("Vary", "Origin"),
    ),
    b"",
)


class GovernedExchange(Exchange):
    """One request under the policy of its view, its path or the application."""

    __slots__ = ("_context", "_governor", "_is_exempt", "_response", "_verdict")

    is_governed: ClassVar[bool] = True

    def __init__(
        self, request: HttpRequest, config: Configuration, governor: Governor, *, has_routes: bool
    ) -> None:
        path = request.path_info
        info = RequestContext(
            request.method or "", environ_getter(request.META), path=path, native=request
        )
        self._info = self._context = info
        self._request = request
        self._governor = governor
        self._decision = None
        self._response: tuple[int, tuple[tuple[str, str], ...], bytes] | None = None
        self._verdict: bool | None = None
        self._varies = self.is_open = self._is_exempt = False
        self._policy = None
        policy = NO_ROUTE
        if has_routes:
            try:
                policy = policy_for(request, info)
            except Exception as error:  # noqa: BLE001 - a project's converters may raise anything
                governor.note_failed_lookup(info, error)
                if info.is_preflight:
                    self._response = _NO_ANSWER
                    return
        if policy is NO_ROUTE:
            policy = governor.policy_for(path)
            self._is_exempt = not config.governs(path)
        self._policy = policy
        if policy is not None and check_request_enabled.has_listeners():
            self._open(policy)

    def _open(self, policy: Policy) -> None:
        """Lets receivers of the signal have their say, as in any exchange."""
        info = self._info
        self._varies = self._is_exempt
        if info.origin is not None and (self._is_exempt or not policy.decide(info).origin_allowed):
            self.is_open = policy.decide(info, origin_allowed=True).origin_allowed

    def allow(self) -> None:
        """Takes a receiver's word for the origin."""
        self._verdict = True
        self._is_exempt = False

    def govern(self) -> None:
        """Decides about the request; resolvers are asked here."""
        policy = self._governing()
        if policy is not None:
            self._take(self._governor.govern(policy, self._context, origin_allowed=self._verdict))

    async def govern_async(self) -> None:
        """The same under ASGI."""
        policy = self._governing()
        if policy is not None:
            self._take(
                await self._governor.govern_async(
                    policy, self._context, origin_allowed=self._verdict
                )
            )

    def _governing(self) -> Policy | None:
        if self._response is not None:
            return None
        if self._policy is None or self._is_exempt:
            self._governor.leave_alone(self._context)
            return None
        return self._policy

    def _take(self, outcome: Outcome) -> None:
        self._decision = outcome.decision
        self._response = outcome.response

    def answer(self) -> HttpResponseBase | None:
        """The response to send now; None where the view is to be asked."""
        self._request.cors = self._decision  # type: ignore[attr-defined]
        if self._response is None:
            return None
        status, headers, body = self._response
        response = HttpResponse(body, status=status)
        # There is one among the headers where there is a body.
        del response.headers["Content-Type"]
        for name, value in headers:
            response.headers[name] = value
        return response

    def finish(self, response: HttpResponseBase, notices: Notices) -> HttpResponseBase:
        """The response with the headers that the decision wants."""
        if self._response is None:
            return super().finish(response, notices)
        # What was sent without asking the view has them already.
        if self._varies:
            patch_vary_headers(response, ["Origin"])
        return response
