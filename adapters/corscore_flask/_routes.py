"""``FlaskLayer``: the layer around a Flask application, with policies of routes."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

from werkzeug.exceptions import HTTPException
from werkzeug.sansio.utils import host_is_trusted

from corscore import ConfigError, Problem
from corscore.integration import environ_path
from corscore_flask._marks import marks, own_marks
from corscore_wsgi import CORSMiddleware

if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from _typeshed.wsgi import WSGIApplication, WSGIEnvironment
    from flask import Flask, Request
    from werkzeug.routing import MapAdapter

    from corscore import RequestInfo
    from corscore.integration import PathPolicy, Policies
    from corscore_flask._marks import Mark


# The key of an environ under which Werkzeug keeps its request.
_REQUEST = "werkzeug.request"
# Methods are of any number.
_MOST_MARKS = 10_000


class FlaskLayer(CORSMiddleware):
    """The layer that ``CORS(app, ...)`` puts around an application.

    Args:
        inside: The application without the policy.
        app: The application whose router is asked.
        policies: As in ``CORSMiddleware``.
        of_the_app: Options of the whole app, as in ``CORSMiddleware``.
    """

    # The layer inside does.
    _answers_exceptions = False

    def __init__(
        self, inside: WSGIApplication, app: Flask, policies: Policies, **of_the_app: Any
    ) -> None:
        super().__init__(inside, policies, **of_the_app)
        self._flask = app
        self._has_routes = False
        self._seen: tuple[int, int, int] | None = None
        self._taken: set[Mark] = set()
        self._bound: dict[Mark, Policies | None] = {}
        self._marks: dict[tuple[str, str], tuple[object, tuple[Mark | None]]] = {}

    def look_for_routes(self) -> None:
        """Look for routes with policies, if there are new routes or marks.

        Raises:
            ConfigError: With all problems of options that ``app.config`` completes.
        """
        app = self._flask
        state = (marks.count, len(app.view_functions), len(app.blueprints))
        if state == self._seen:
            return
        found = marks.of_app(app)
        problems: dict[Problem, None] = {}
        # A set has no order; problems have one.
        for mark in sorted(found, key=lambda mark: mark.where):
            problems.update(dict.fromkeys(self._bind(mark)))
        if problems:
            raise ConfigError(tuple(problems))
        self._marks.clear()
        self._taken = own_marks(list(app.view_functions.values()))
        if found:
            self._has_routes = True
            later = self._later if self.governor.defers_routes else None
            self.governor.gateway.use_routes(self.policy_at, later)
        self._seen = state

    def path_of(self, environ: WSGIEnvironment) -> str:
        """The path as Flask routes it: several slashes at its start count as one."""
        path = environ_path(environ)
        return path if path[:1] == "/" != path[1:2] else f"/{path.lstrip('/')}"

    def host_of(self, environ: WSGIEnvironment) -> str | None:
        """The Host as Flask reads it: one that ``TRUSTED_HOSTS`` leaves out is none."""
        host = super().host_of(environ)
        trusted = self._flask.config.get("TRUSTED_HOSTS") or self._flask.request_class.trusted_hosts
        return host if not trusted or host_is_trusted(host, trusted) else None

    def policy_at(self, environ: WSGIEnvironment) -> PathPolicy:
        """The policy or policies of the route, else of the path, else the app's."""
        if not self._has_routes:
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
        # A new mark: its view has replaced another one since marks were looked for.
        if mark not in self._bound and (problems := self._bind(mark)):
            raise ConfigError(problems)
        return self.governor.policies_for(self.request_of(environ), self._bound[mark])

    def _later(self, environ: WSGIEnvironment) -> Callable[[], PathPolicy]:
        """Return a function that finds an actual request's policy when its response starts.

        Flask leaves its routing result in the request. It proves what a lookup would find if the
        request is unchanged. Else the lookup decides.
        """
        get = environ.get
        method, path, root = get("REQUEST_METHOD"), get("PATH_INFO"), get("SCRIPT_NAME")
        host, scheme = get("HTTP_HOST"), get("wsgi.url_scheme")
        request_before = get(_REQUEST)
        # Found once, so that a view sees the policy that its response gets.
        found: list[PathPolicy] = []

        def find() -> PathPolicy:
            if found:
                return found[0]
            request = get(_REQUEST)
            served = None
            if request is not None and request is not request_before:
                served = self._served(request, method or "")
            if (
                served is not None
                and get("PATH_INFO") == path
                and get("REQUEST_METHOD") == method
                and get("SCRIPT_NAME") == root
                and get("HTTP_HOST") == host
                and get("wsgi.url_scheme") == scheme
            ):
                policy = self._policy_of(served[0], environ)
            else:
                given = {
                    "REQUEST_METHOD": method,
                    "PATH_INFO": path,
                    "SCRIPT_NAME": root,
                    "HTTP_HOST": host,
                    "wsgi.url_scheme": scheme,
                }
                came = {key: value for key, value in environ.items() if key not in given}
                came.update((key, value) for key, value in given.items() if value is not None)
                policy = self.policy_at(came)
                if served is not None:
                    policy_served = self._policy_of(served[0], came)
                    policy = self.governor.of_route(policy, policy_served, self.notices)
            found.append(policy)
            return policy

        return find

    def _served(self, request: Request, method: str) -> tuple[Mark | None] | None:
        """The mark of the route that a request was routed to, in a tuple; None without routing."""
        rule = request.url_rule
        # Without a rule, what found none may be the router of another application.
        if rule is None or rule.map is not self._flask.url_map:
            return None
        # A view may be replaced by another one.
        view = self._flask.view_functions.get(rule.endpoint)
        known = self._marks.get((rule.endpoint, method))
        if known is not None and known[0] is view:
            return known[1]
        served = (marks.of_route(self._flask, rule.endpoint, method, self._taken),)
        if len(self._marks) < _MOST_MARKS:
            self._marks[rule.endpoint, method] = view, served
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
        # Converters may need the context, for example to ask a database.
        with app.app_context():
            try:
                adapter = app.create_url_adapter(app.request_class(environ))
                endpoint, _ = cast("MapAdapter", adapter).match(method=method)
            except HTTPException:
                # No such page, not with this method, not on this host, or a redirect elsewhere.
                return None
        return marks.of_route(app, endpoint, method, self._taken)


def _located(problem: Problem, mark: Mark) -> Problem:
    return Problem(
        problem.code,
        problem.field,
        problem.value,
        f"{mark.where}: {problem.message}",
        problem.hint,
    )
