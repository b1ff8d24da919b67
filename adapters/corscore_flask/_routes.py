"""``FlaskLayer``: the layer around a Flask application, with policies of routes."""

from __future__ import annotations

import re
from functools import partial
from operator import itemgetter
from typing import TYPE_CHECKING, cast

from werkzeug.exceptions import HTTPException
from werkzeug.sansio.utils import host_is_trusted

from corscore import ConfigError, Policy, PolicyMap, Problem, RequestInfo
from corscore.integration import single_slash_path
from corscore_flask._marks import marks, own_marks
from corscore_wsgi import CORSMiddleware

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from typing import Any

    from _typeshed.wsgi import WSGIApplication, WSGIEnvironment
    from flask import Flask, Request
    from werkzeug.routing import MapAdapter

    from corscore.integration import PathPolicy, Policies
    from corscore_flask._marks import Mark

    # The mark of a route, and its policy where that is a plain one.
    Served = tuple[Mark | None, Policy | None]

# Werkzeug routes by these values of the environ.
_ROUTED_BY = ("REQUEST_METHOD", "PATH_INFO", "HTTP_HOST", "wsgi.url_scheme")
_routing_of = itemgetter(*_ROUTED_BY)
# Werkzeug keeps its request under this key of the environ.
_REQUEST = "werkzeug.request"
# A converter in a rule: "/users/<int:id>".
_PARAMETER = re.compile(r"<[^>]*>")
# Bounds the cache, since clients may send any method.
_MAX_METHODS = 100


class FlaskLayer(CORSMiddleware):
    """The layer that ``CORS(app, ...)`` puts around an application.

    Args:
        inside: The application without the policy.
        app: The application whose router looks up routes.
        policies: As in ``CORSMiddleware``.
        by_resources: Whether the policies are those of ``resources``.
        app_options: Options of the whole app, as in ``CORSMiddleware``.
    """

    # ``inside`` answers exceptions.
    _answers_exceptions = False

    def __init__(
        self,
        inside: WSGIApplication,
        app: Flask,
        policies: Policies,
        *,
        by_resources: bool = False,
        **app_options: Any,
    ) -> None:
        super().__init__(inside, policies, **app_options)
        self._flask = app
        self._by_resources = by_resources
        self.has_routes = False
        # The numbers at the last search for routes: marks and views may be added later.
        self.marks_seen = 0
        self.views_seen = len(app.view_functions)
        self._copied: set[Mark] = set()
        self._bound: dict[Mark, Policies | None] = {}
        # By method and endpoint, each with its view.
        self._known: dict[str, dict[str, tuple[object, Served]]] = {}
        # The first request replaces it, so that later ones pay nothing for it.
        self._starter = self._start_first

    def _start_first(self, environ: WSGIEnvironment, start_response: Any) -> Any:
        """Log notices about the application, which is complete now, and start the first request."""
        self._starter = self.governor.gateway.starter
        for message, hint in (*self.second_layers(), *self._lost_paths()):
            self.notices.once(message, f"{message} {hint[:1].upper()}{hint[1:]}.")
        return self._starter(environ, start_response)

    def _lost_paths(self) -> Iterator[tuple[str, str]]:
        """Yield a message and a hint for each key that covers more routes in flask-cors."""
        policies = self.governor.policies
        if not (self._by_resources and isinstance(policies, PolicyMap)):
            return
        keys = dict(policies.items())
        for key, policy in keys.items():
            if policy is None or not key.endswith("/*"):
                continue
            # flask-cors takes the key for a regex that a path begins with: "/api" covers "/apis".
            rules = [
                rule.rule
                for rule in self._flask.url_map.iter_rules()
                if rule.rule.startswith(key.removesuffix("/*"))
                and rule.rule not in keys
                and not self._governs(_PARAMETER.sub("x", rule.rule))
            ]
            if rules:
                listed = ", ".join(dict.fromkeys(rules))
                message = (
                    f'resources: "{key}" covers what is below "{key[:-1]}"; in flask-cors it '
                    f"covers {listed} as well, which no policy governs now."
                )
                yield (
                    message,
                    f'write a key for each, "{rules[0]}": {{...}}, or None to leave it out',
                )

    def second_layers(self) -> Iterator[tuple[str, str]]:
        """Yield a message and a hint for each extension with CORS of its own on governed paths."""
        yield from self._left_over()
        socketio = self._flask.extensions.get("socketio")
        path = getattr(getattr(socketio, "sockio_mw", None), "engineio_path", None)
        if not isinstance(path, str) or not self._governs(path):
            return
        message = (
            f"Flask-SocketIO answers {path} by its own cors_allowed_origins, and refuses "
            "other origins."
        )
        hint = (
            "give SocketIO(app, cors_allowed_origins=[...]) the policy's origins and the site's "
            f'own, and leave its path to it: CORS(app, PolicyMap({{"{path}*": None}}, '
            "default=policy))"
        )
        yield message, hint

    def _left_over(self) -> Iterator[tuple[str, str]]:
        """Yield a message and a hint if flask-cors is still on the application."""
        app = self._flask
        hooks = [hook for several in app.after_request_funcs.values() for hook in several]
        names = [name for name, view in app.view_functions.items() if _is_of_flask_cors(view)]
        if names or any(map(_is_of_flask_cors, hooks)):
            where = f"views ({', '.join(names)})" if names else "CORS(...)"
            yield (
                f"flask-cors is still on the app, by its {where}: the policy replaces its headers.",
                "import cross_origin and CORS from corscore_flask everywhere",
            )

    def _governs(self, path: str) -> bool:
        return self.governor.policy_for(RequestInfo("GET", path=path)) is not None

    def notice_routes(self) -> None:
        """Look for routes with policies.

        Raises:
            ConfigError: Options are wrong together with ``app.config``; it has every problem.
        """
        app = self._flask
        counted = marks.count, len(app.view_functions)
        found = marks.of_app(app)
        problems: dict[Problem, None] = {}
        # A set has no order; problems have one.
        for mark in sorted(found, key=lambda mark: mark.where):
            problems.update(dict.fromkeys(self._bind(mark)))
        if problems:
            raise ConfigError(tuple(problems))
        self._known.clear()
        marks.note_found(found)
        self._copied = own_marks(list(app.view_functions.values()))
        if found:
            self.has_routes = True
            later = self._later if self.governor.defers_routes else None
            self.governor.gateway.use_routes(self.policy_at, later)
        self.marks_seen, self.views_seen = counted

    def route_policies(self) -> list[tuple[str, Policies | None]]:
        """The policies of routes, by the view or blueprint that has them; for tools.

        Raises:
            ConfigError: As ``notice_routes``.
        """
        self.notice_routes()
        found = sorted(marks.of_app(self._flask), key=lambda mark: mark.where)
        return [(mark.where, self._bound[mark]) for mark in found]

    def path_of(self, environ: WSGIEnvironment) -> str:
        """The path as Flask routes it: several slashes at its start count as one."""
        return single_slash_path(environ)

    def host_of(self, environ: WSGIEnvironment) -> str | None:
        """The Host as Flask reads it; None if ``TRUSTED_HOSTS`` does not have it."""
        host = super().host_of(environ)
        trusted = self._flask.config.get("TRUSTED_HOSTS") or self._flask.request_class.trusted_hosts
        return host if not trusted or host_is_trusted(host, trusted) else None

    def policy_at(self, environ: WSGIEnvironment) -> PathPolicy:
        """The policy or policies of the route, else of the path, else the app's."""
        if not self.has_routes:
            return super().policy_at(environ)
        request = self.request_of(environ)
        try:
            mark = self._mark_at(environ, request)
        except Exception as error:  # noqa: BLE001 - a converter may raise anything
            return self.governor.policy_without_route(request, error)
        return self._policy_of(mark, environ)

    def _policy_of(self, mark: Mark | None, environ: WSGIEnvironment) -> PathPolicy:
        if mark is None:
            return super().policy_at(environ)
        # A view with a new mark may have replaced another one since marks were looked for.
        if mark not in self._bound and (problems := self._bind(mark)):
            raise ConfigError(problems)
        return self.governor.policies_for(self.request_of(environ), self._bound[mark])

    def _later(self, environ: WSGIEnvironment) -> Callable[[], PathPolicy]:
        """Return a function that finds an actual request's policy when its response starts."""
        try:
            routed_by: tuple[Any, ...] = _routing_of(environ)
        except KeyError:
            # PEP 3333: some may be absent.
            routed_by = tuple(map(environ.get, _ROUTED_BY))
        return partial(self._find, environ, routed_by, environ.get(_REQUEST), [])

    def _find(
        self,
        environ: WSGIEnvironment,
        routed_by: tuple[Any, ...],
        request_before: object,
        found: list[PathPolicy],
    ) -> PathPolicy:
        """Find the policy of an actual request.

        Flask leaves the route that it took in the request. If the request is unchanged, that route
        decides; else a lookup does.

        Args:
            environ: The request's environ.
            routed_by: The values of ``_ROUTED_BY`` before the application ran.
            request_before: The request of another application that was in the environ, or None.
            found: Keeps the policy, so that a view sees that of its response; empty at first.
        """
        if found:
            return found[0]
        request = environ.get(_REQUEST)
        served = None
        if request is not None and request is not request_before:
            served = self._served(request, routed_by[0])
        try:
            is_same = served is not None and _routing_of(environ) == routed_by
        except KeyError:
            is_same = tuple(map(environ.get, _ROUTED_BY)) == routed_by
        if served is not None and is_same:
            # Most routes have a plain policy, which does not depend on the request.
            policy = served[1] or self._policy_of(served[0], environ)
        else:
            original = {key: value for key, value in environ.items() if key not in _ROUTED_BY}
            original |= {
                key: value
                for key, value in zip(_ROUTED_BY, routed_by, strict=True)
                if value is not None
            }
            policy = self.policy_at(original)
            if served is not None:
                policy_served = self._policy_of(served[0], original)
                policy = self.governor.of_route(policy, policy_served, self.notices)
        found.append(policy)
        return policy

    def _served(self, request: Request, method: str) -> Served | None:
        """The mark of the route that a request was routed to; None without routing."""
        rule, app = request.url_rule, self._flask
        # A request without a rule may have been routed by another application.
        if rule is None or rule.map is not app.url_map:
            return None
        # Another view may have replaced the known one.
        view = app.view_functions.get(rule.endpoint)
        by_endpoint = self._known.get(method)
        if by_endpoint is not None:
            known = by_endpoint.get(rule.endpoint)
            if known is not None and known[0] is view:
                return known[1]
        mark = marks.of_route(app, rule.endpoint, method, self._copied)
        policies = None if mark is None else self._bound.get(mark)
        served = mark, policies if isinstance(policies, Policy) else None
        if by_endpoint is None and len(self._known) < _MAX_METHODS:
            by_endpoint = self._known[method] = {}
        if by_endpoint is not None:
            by_endpoint[rule.endpoint] = view, served
        return served

    def _bind(self, mark: Mark) -> tuple[Problem, ...]:
        """Read the policy of a mark for this app; return its problems."""
        try:
            policies = mark.read(self._flask.config)
            if policies is not None:
                self.governor.require(policies)
            self._bound[mark] = policies
        except ConfigError as error:
            return tuple(_located(problem, mark) for problem in error.problems)
        return ()

    def _mark_at(self, environ: WSGIEnvironment, request: RequestInfo) -> Mark | None:
        """Look up the mark of the route of a request, or of the one that a preflight announces."""
        app = self._flask
        environ = dict(environ)
        method = request.method
        if request.is_preflight:
            method = request.request_method or ""
        environ["REQUEST_METHOD"] = method
        # Converters may need the context, for example to query a database.
        with app.app_context():
            try:
                adapter = app.create_url_adapter(app.request_class(environ))
                endpoint, _ = cast("MapAdapter", adapter).match(method=method)
            except HTTPException:
                # No such page, not with this method, not on this host, or a redirect elsewhere.
                return None
        return marks.of_route(app, endpoint, method, self._copied)


def _is_of_flask_cors(function: object) -> bool:
    # A wrapped view has its own module, but the code of the decorator.
    code = getattr(function, "__code__", None)
    return "flask_cors" in str(getattr(code, "co_filename", ""))


def _located(problem: Problem, mark: Mark) -> Problem:
    return Problem(
        problem.code,
        problem.field,
        problem.value,
        f"{mark.where}: {problem.message}",
        problem.hint,
    )
