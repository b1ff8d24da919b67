"""The Flask extension: a policy around the whole application, which stays the object it was."""

from __future__ import annotations

from typing import TYPE_CHECKING

from flask import Blueprint, Flask, has_request_context, request
from werkzeug.local import LocalProxy

from corscore import Policy
from corscore.adapting import policy_from
from corscore_flask._installed import put_around
from corscore_flask._options import policy_from_flask
from corscore_wsgi import decision_of

if TYPE_CHECKING:
    from typing_extensions import Unpack

    from corscore import Decision
    from corscore_flask._options import FlaskOptions


class CORS:
    """``CORS(app, origins=["https://app.example.com"])``, or ``CORS()`` and later ``init_app``.

    The policy stands outside everything: error handlers, redirects, static files, and whatever
    ``app.wsgi_app`` is wrapped in, before or afterwards. Serve ``app``, as everybody does, and not
    ``app.wsgi_app``, which is inside.

    Args:
        app: A Flask application; or leave it out and call ``init_app``.
        policy: A ready policy; or leave it out and write its options.
        options: flask-cors's names (``origins``, ``methods``, ``allow_headers``,
            ``expose_headers``, ``supports_credentials``, ``max_age``, ``allow_private_network``)
            and those of ``corscore.Policy`` that it has no name for. What is not given is taken
            from ``app.config``, where they are in upper case behind ``CORS_``, or else from
            flask-cors's defaults: any request header, and the methods GET, HEAD, POST, OPTIONS,
            PUT, PATCH and DELETE. No origins at all is an error.

    Raises:
        ConfigError: With all that is wrong with the options.
        RuntimeError: When the app has a policy already.
        TypeError: When ``app`` is no Flask application, when the policy is none, or when there are
            both a policy and options.
    """

    def __init__(
        self,
        app: Flask | None = None,
        policy: Policy | None = None,
        **options: Unpack[FlaskOptions],
    ) -> None:
        self._policy = policy
        self._options = options
        if app is not None:
            self.init_app(app)

    def init_app(
        self, app: Flask, policy: Policy | None = None, **options: Unpack[FlaskOptions]
    ) -> None:
        """Puts the policy around one application; any number of them may get it.

        Args:
            app: A Flask application.
            policy: Instead of what the constructor was given.
            options: Beside the constructor's, and before them.

        Raises:
            ConfigError, RuntimeError, TypeError: As the class does.
        """
        app = _application(app)
        policy = self._policy if policy is None else policy
        given: dict[str, object] = {**self._options, **options}
        if policy is None:
            policy = policy_from_flask(given, app.config)
        elif isinstance(policy, Policy):
            policy = policy_from("CORS(app, ...)", policy, given)
        else:
            raise TypeError(
                f"CORS(app, ...): a Policy was expected, not {type(policy).__name__}; write "
                "CORS(app, origins=[...]) or CORS(app, Policy(allow_origins=[...]))"
            )
        put_around(app, policy)


def current_decision() -> Decision | None:
    """The decision about the current request, or None where there is none.

    There is none outside of a request, nor in ``app.test_request_context``, which no server called.
    """
    if not has_request_context():
        return None
    return decision_of(request.environ)


def _application(app: object) -> Flask:
    if isinstance(app, LocalProxy):
        app = app._get_current_object()
    if isinstance(app, Flask):
        return app
    if isinstance(app, Policy):
        raise TypeError("CORS(policy): write CORS(app, policy), or CORS(policy=policy)")
    if isinstance(app, Blueprint):
        raise TypeError(
            "CORS(blueprint, ...): a policy governs a whole app; write CORS(app, ...) with the app "
            "that the blueprint is registered on"
        )
    raise TypeError(
        f"CORS(app, ...) takes a Flask application, not {type(app).__name__}; around another WSGI "
        "application write corscore_wsgi.CORSMiddleware(app, ...)"
    )
