"""The policy around a Flask application, where its routes may have policies of their own."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

from werkzeug.exceptions import HTTPException

from corscore import ConfigError, Policy, Problem
from corscore_flask._marks import marks, own_marks
from corscore_wsgi import CORSMiddleware

if TYPE_CHECKING:
    from typing import Any

    from _typeshed.wsgi import WSGIApplication, WSGIEnvironment
    from flask import Flask
    from werkzeug.routing import MapAdapter

    from corscore.integration import Policies, RequestContext
    from corscore_flask._marks import Mark, PolicyFor


class FlaskLayer(CORSMiddleware):
    """What ``CORS(app, ...)`` puts around an application.

    Args:
        inside: The application without the policy.
        app: The application whose router is asked.
        policies: As in ``CORSMiddleware``.
        of_the_app: ``on_decision`` and the like, as in ``CORSMiddleware``.

    Attributes:
        is_plain: Whether one plain policy governs all there is.
    """

    def __init__(
        self, inside: WSGIApplication, app: Flask, policies: Policies, **of_the_app: Any
    ) -> None:
        super().__init__(inside, policies, **of_the_app)
        self.is_plain: bool = self.governor.plain is not None
        self._flask = app
        self._has_routes = False
        self._seen: tuple[int, int, int] | None = None
        self._taken: set[Mark] = set()
        self._bound: dict[Mark, PolicyFor] = {}

    def look_for_routes(self) -> None:
        """Finds out whether routes have policies, if there are new routes or policies.

        Raises:
            ConfigError: With all that is wrong with options that ``app.config`` completes.
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
        self._taken = own_marks(list(app.view_functions.values()))
        if found:
            self._has_routes = True
            self.is_plain = False
            self.govern_all()
        self._seen = state

    def path_of(self, environ: WSGIEnvironment) -> str:
        """The path as Flask routes it: with one slash at its beginning, however many there are."""
        return f"/{super().path_of(environ).lstrip('/')}"

    def policy_at(self, request: RequestContext) -> Policy | None:
        """The policy of the route, else that of the path, else the app's."""
        if not self._has_routes:
            return super().policy_at(request)
        try:
            mark = self._mark_at(request)
        except Exception as error:  # noqa: BLE001 - a converter may raise anything
            return self.governor.policy_without_route(request, error)
        if mark is None:
            return super().policy_at(request)
        # One may have come in the place of a view that was there when they were looked for.
        if mark not in self._bound and (problems := self._bind(mark)):
            raise ConfigError(problems)
        return self._bound[mark](request.path)

    def _bind(self, mark: Mark) -> tuple[Problem, ...]:
        """Reads what a mark means in this app; what is wrong with it."""
        try:
            self._bound[mark] = mark.read(self._flask.config)
        except ConfigError as error:
            return tuple(_located(problem, mark) for problem in error.problems)
        return ()

    def _mark_at(self, request: RequestContext) -> Mark | None:
        """The mark of the route that the request, or the one that it announces, will take."""
        app = self._flask
        environ = dict(cast("WSGIEnvironment", request.native))
        method = request.method
        if request.is_preflight:
            method = request.request_method or ""
        environ["REQUEST_METHOD"] = method
        # Converters may need it: to ask a database, for instance.
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
