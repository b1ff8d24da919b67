"""``GovernedRequest``: one request, from its policy to the headers of its response."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Any

from django.conf import settings
from django.http import HttpResponse, HttpResponseServerError
from django.utils.cache import patch_vary_headers
from django.utils.functional import SimpleLazyObject

from corscore import Policy, PolicyResolver
from corscore_django._requests import request_of
from corscore_django._routes import policy_for
from corscore_django._views import NO_ROUTE, policy_of
from corscore_django.signals import check_request_enabled

if TYPE_CHECKING:
    from django.http import HttpRequest
    from django.http.response import HttpResponseBase

    from corscore import Decision, RequestInfo
    from corscore.integration import Governor, Notices, PathPolicy, Policies
    from corscore_django._configuration import Configuration
    from corscore_django._marks import RoutePolicy
    from corscore_django._routes import Urls

# Django's own logger for exceptions of views.
_logger = logging.getLogger("django.request")


def simple_answer(
    request: HttpRequest, config: Configuration, governor: Governor, urls: Urls | None
) -> Any:
    """The answer to an actual request under a plain policy; None for any other request.

    Most requests are of this kind. Puts the decision into ``request.cors``. Takes the arguments of
    ``GovernedRequest``, which all other requests need.
    """
    if (
        urls is not None
        or not config.is_simple
        or request.method == "OPTIONS"
        or check_request_enabled.receivers
    ):
        return None
    policy = config.plain or governor.gateway.policy_for(request, False)
    if type(policy) is not Policy or policy.resolver is not None:
        return None
    meta = request.META
    answer = governor.gateway.answer_to(policy, None, request, meta, meta.get("HTTP_ORIGIN"), False)
    request.cors = governor.decision_of(policy, answer, request)  # type: ignore[attr-defined]
    return answer


class GovernedRequest:
    """One request in progress.

    Args:
        request: The request.
        config: The settings.
        governor: The governor of the settings.
        urls: The project's URLs if views have policies of their own; else None.
        notices: The middleware's notices.

    Attributes:
        asks_receivers: Whether receivers of the signal may allow the origin; ``take_receivers``
            takes their result.
        awaits: Whether an origin resolver has to be awaited; ``resume`` takes its verdict.
        resolver: The ``PolicyResolver`` that has to be awaited, or None; ``take`` takes its policy.
        policy: The policy of the request, or None.
        info: The request as policies read it.
    """

    __slots__ = (
        "_answer",
        "_config",
        "_governor",
        "_is_deferred",
        "_is_exempt",
        "_notices",
        "_original",
        "_request",
        "_urls",
        "_varies",
        "_verdict",
        "asks_receivers",
        "awaits",
        "info",
        "policy",
        "resolver",
    )

    def __init__(
        self,
        request: HttpRequest,
        config: Configuration,
        governor: Governor,
        urls: Urls | None,
        notices: Notices,
    ) -> None:
        self._request = request
        self._notices = notices
        self._config = config
        self._governor = governor
        self._urls = urls
        self._answer: Any = None
        self._verdict: bool | None = None
        self._varies = self._is_deferred = self.asks_receivers = self.awaits = False
        self._is_exempt = False
        self.resolver: PolicyResolver | None = None
        self.info: RequestInfo = request_of(request)
        policy = config.plain
        if policy is None or urls is not None or check_request_enabled.receivers:
            policy = self._find()
        self.policy: Policy | None = policy
        if self.resolver is None and not self.asks_receivers:
            self._decide(is_resumed=False)

    def _find(self) -> Policy | None:
        """The policy of the request's view, path or application; None leaves it alone."""
        request, config, governor = self._request, self._config, self._governor
        is_exempt = False
        route: Policies | None = NO_ROUTE
        if self._urls is not None:
            is_deferred = request.method != "OPTIONS" and governor.defers_routes
            if is_deferred and not check_request_enabled.receivers:
                self._is_deferred = True
                # Read now, since a middleware below may rewrite it.
                self.info.path = request.path_info
                # A view that reads ``request.cors`` finds the policy earlier.
                request.cors = SimpleLazyObject(self._decision_now)  # type: ignore[attr-defined]
                self._original = (*_routing_of(request), request.resolver_match)
                return None
            route = self._policies_of_view(request.path_info, _urlconf_of(request))
        if route is NO_ROUTE:
            route = governor.policies
            is_exempt = not config.governs(request.path_info)
        self._is_exempt = is_exempt
        found = governor.chosen(governor.policies_for(self.info, route), self.info)
        if isinstance(found, PolicyResolver):
            self.resolver = found
            return None
        return self._with_receivers(found)

    def _with_receivers(self, policy: Policy | None) -> Policy | None:
        """Find out whether receivers may allow the origin; None for an exempt path without any."""
        is_exempt = self._is_exempt
        if policy is not None and check_request_enabled.has_listeners():
            # A receiver may allow some origins on an exempt path.
            self._varies = is_exempt
            if self.info.origin is not None and (
                is_exempt or not policy.decide(self.info).origin_allowed
            ):
                allowed = policy.decide(self.info, origin_allowed=True)
                self.asks_receivers = allowed.origin_allowed
        return None if is_exempt and not self.asks_receivers else policy

    def take(self, policy: Policy | None) -> None:
        """Take the policy that ``resolver`` gave."""
        self.resolver = None
        self.policy = self._with_receivers(policy)
        if not self.asks_receivers:
            self._decide(is_resumed=False)

    def _policies_of_view(self, path: str, urlconf: Any) -> RoutePolicy:
        try:
            return policy_for(self.info, path, urlconf)
        except Exception as error:  # noqa: BLE001 - a project's converters may raise anything
            return self._governor.policy_without_route(self.info, error)

    def _decide(self, *, is_resumed: bool) -> None:
        policy, request = self.policy, self._request
        if policy is None:
            if not self._is_deferred:
                request.cors = None  # type: ignore[attr-defined]
                self._governor.left_alone(request)
            return
        meta = request.META
        self._answer = self._governor.gateway.answer_to(
            policy, self._verdict, request, meta, meta.get("HTTP_ORIGIN"), is_resumed
        )
        self.awaits = self._answer is None
        if not self.awaits:
            request.cors = self._decision()  # type: ignore[attr-defined]

    def _decision_now(self) -> Decision | None:
        self.settle()
        return None if self._answer is None else self._decision()

    def _decision(self) -> Decision:
        return self._governor.decision(self.policy, self._answer, self.info)

    def take_receivers(self, *, allowed: bool) -> None:
        """Take the result of the signal's receivers: whether one of them allows the origin."""
        if allowed:
            self._verdict = True
        elif self._varies:
            self.policy = None
        self._decide(is_resumed=allowed)

    def resume(self, verdict: bool | None) -> None:
        """Take the verdict of the policy's resolver."""
        self._verdict = verdict
        self._decide(is_resumed=True)

    def early_response(self) -> HttpResponseBase | None:
        """The response to a preflight or a blocked request; None if the view answers."""
        answer = self._answer
        if answer is None or not answer.status:
            return None
        response = HttpResponse(answer.body, status=answer.status)
        # An answer with a body brings its own.
        del response.headers["Content-Type"]
        return response

    def last_resort(self, error: Exception) -> HttpResponseBase:
        """The response to an exception, which comes here only if Django's error page failed too.

        Raises:
            Exception: The given one, which the server answers if no script of another origin waits.
        """
        self.settle()
        decision = None if self._answer is None else self._decision()
        if settings.DEBUG_PROPAGATE_EXCEPTIONS or not self._governor.is_awaited(decision):
            raise error
        _logger.error(
            "Internal Server Error: %s",
            self._request.path,
            exc_info=error,
            extra={"status_code": 500, "request": self._request},
        )
        return HttpResponseServerError("Internal Server Error", content_type="text/plain")

    def settle(self) -> None:
        """Find the policy of the view now, if it was deferred until the view had answered.

        Django leaves the view that it chose in the request. If the request is unchanged, that view
        decides; else a lookup does.
        """
        if not self._is_deferred:
            return
        self._is_deferred = False
        request = self._request
        path, urlconf, method, match_before = self._original
        match = request.resolver_match
        served = NO_ROUTE
        is_served = match is not None and match is not match_before
        if match is not None and is_served:
            served = policy_of(match.func, method)
        if (
            is_served
            and _routing_of(request) == (path, urlconf, method)
            and self._urls is not None
            and self._urls.go_by_path
        ):
            policies = self._or_by_path(served, path)
        else:
            policies = self._or_by_path(self._policies_of_view(path, urlconf), path)
            if is_served:
                policies_served = self._or_by_path(served, path)
                policies = self._governor.of_route(policies, policies_served, self._notices)
        found: Any = policies
        if policies is not None and type(policies) is not Policy:
            found = self._governor.chosen(policies, self.info)
        self.policy = found
        self._decide(is_resumed=False)

    def _or_by_path(self, route: Policies | None, path: str) -> PathPolicy:
        if route is NO_ROUTE:
            route = self._governor.policies if self._config.governs(path) else None
        if type(route) is Policy:
            # For speed: the usual kind does not depend on the request.
            return route
        return self._governor.policies_for(self.info, route)

    def finish(self, response: HttpResponseBase) -> HttpResponseBase:
        """Add the headers of the answer to a response."""
        if self._answer is not None:
            self._answer.update(
                response.headers, self._request.META.get("HTTP_ORIGIN"), self._notices.conflict
            )
        if self._varies:
            patch_vary_headers(response, ["Origin"])
        return response


def _urlconf_of(request: HttpRequest) -> Any:
    # Django reads this attribute as well, which a middleware above may have set.
    return getattr(request, "urlconf", None)


def _routing_of(request: HttpRequest) -> tuple[str, Any, str]:
    return request.path_info, _urlconf_of(request), request.method or ""
