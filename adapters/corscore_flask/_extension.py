"""``CORS``: a policy around a whole Flask application, which stays the same object."""

from __future__ import annotations

from typing import TYPE_CHECKING

from flask import Blueprint, Flask, has_request_context, request
from werkzeug.local import LocalProxy

from corscore import ConfigError
from corscore.integration import (
    GOVERNOR_OPTIONS,
    SOURCES,
    policies_from,
    python_literal,
    read_governor_options,
)
from corscore_flask._decorator import govern_blueprint
from corscore_flask._given import GivenOptions
from corscore_flask._installed import put_around
from corscore_flask._options import listed
from corscore_flask._resources import policies_from_flask
from corscore_wsgi import decision_of

if TYPE_CHECKING:
    from collections.abc import Mapping

    from typing_extensions import Unpack

    from corscore import Decision
    from corscore.integration import Policies
    from corscore_flask._options import FlaskOptions


class CORS:
    """``CORS(app, origins=["https://app.example.com"])``, or ``CORS()`` and later ``init_app``.

    The policy is outside everything: error handlers, redirects, static files, and every layer
    around ``app.wsgi_app``, also those that are added later. Serve ``app`` itself: ``app.wsgi_app``
    is inside the policy.

    Args:
        app: A Flask application; or a blueprint, whose routes then have a policy of their own in
            every app with ``CORS(app)``; or leave it out and call ``init_app``.
        policy: A ready policy, a tuple of policies, a ``PolicyMap``, a ``PolicyResolver`` or a
            ``PolicyRef``; or leave it out and write the options of a policy.
        options: flask-cors's names (``origins``, ``methods``, ``allow_headers``,
            ``expose_headers``, ``supports_credentials``, ``max_age``, ``allow_private_network``,
            ``resources``), and options of ``corscore.Policy`` that flask-cors lacks. Options that
            are not given come from ``app.config``, in upper case after ``CORS_``, or else from
            flask-cors's defaults: any request header, and the methods GET, HEAD, POST,
            OPTIONS, PUT, PATCH and DELETE. Origins have no default. An app also takes
            ``on_decision``, ``shadow``, ``block_cross_site`` and ``own_origins``, with options or a
            policy, as ``corscore_wsgi.CORSMiddleware`` does.

    Raises:
        ConfigError: Options are wrong; it has every problem.
        RuntimeError: The app or the blueprint has a policy already.
        TypeError: ``app`` is neither, ``policy`` is no policy, or both a policy and options are
            given.
    """

    def __init__(
        self,
        app: Flask | Blueprint | None = None,
        policy: Policies | None = None,
        **options: Unpack[FlaskOptions],
    ) -> None:
        self._policy = policy
        self._options = options
        if app is not None:
            try:
                self.init_app(app)
            except (ConfigError, TypeError) as error:
                # As in `init_app`.
                raise error.with_traceback(None) from None

    def init_app(
        self,
        app: Flask | Blueprint,
        policy: Policies | None = None,
        **options: Unpack[FlaskOptions],
    ) -> None:
        """Put the policy around an application or a blueprint; may be called for several.

        Args:
            app: A Flask application or a blueprint.
            policy: The policy if it is not the constructor's.
            options: Further options, which beat the constructor's.

        Raises:
            ConfigError, RuntimeError, TypeError: As the class does.
        """
        try:
            self._govern(_app_of(app), self._policy if policy is None else policy, options)
        except (ConfigError, TypeError) as error:
            # Without our frames, the traceback ends near the user's line.
            raise error.with_traceback(None) from None

    def _govern(
        self, app: Flask | Blueprint, policy: Policies | None, options: Mapping[str, object]
    ) -> None:
        given: dict[str, object] = {**self._options, **options}
        if isinstance(app, Blueprint):
            govern_blueprint(app, policy, given)
            return
        user_options = GivenOptions(given, app.config)
        if "own_origins" in user_options.written:
            user_options.written["own_origins"] = listed(user_options.written["own_origins"])
        problems = user_options.found
        app_options = read_governor_options(
            user_options.written, problems, user_options.name, user_options.separator
        )
        given = {name: value for name, value in given.items() if name not in GOVERNOR_OPTIONS}
        try:
            policies = _policies(policy, given, app.config)
        except ConfigError as error:
            raise ConfigError((*error.problems, *problems)) from None
        if problems:
            raise ConfigError(tuple(problems))
        put_around(app, policies, by_resources=policy is None, **app_options)


def current_decision() -> Decision | None:
    """The decision on the current request, or None.

    None outside of a request, and in ``app.test_request_context``, which bypasses the policy.
    """
    if not has_request_context():
        return None
    return decision_of(request.environ)


def _policies(
    policy: object, given: Mapping[str, object], config: Mapping[str, object]
) -> Policies:
    if policy is None:
        return policies_from_flask(given, config)
    if isinstance(policy, SOURCES):
        return policies_from("CORS(app, ...)", policy, given)
    # A list most likely holds origins.
    items = listed(policy)
    origins = python_literal(items) if isinstance(items, list) else "[...]"
    raise TypeError(
        f"CORS(app, ...): a Policy was expected, not {type(policy).__name__}; write "
        f"CORS(app, origins={origins}) or CORS(app, Policy(allow_origins={origins}))"
    )


def _app_of(app: object) -> Flask | Blueprint:
    if isinstance(app, LocalProxy):
        app = app._get_current_object()
    if isinstance(app, (Flask, Blueprint)):
        return app
    if isinstance(app, SOURCES):
        raise TypeError("CORS(policy): write CORS(app, policy), or CORS(policy=policy)")
    raise TypeError(
        f"CORS(app, ...) takes a Flask application or a blueprint, not {type(app).__name__}; "
        "around another WSGI application write corscore_wsgi.CORSMiddleware(app, ...)"
    )
