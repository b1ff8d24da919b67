"""An application whose policies are replaced while it is served: ``test_flask_live``."""

from __future__ import annotations

import itertools
import time

from flask import Blueprint, Flask

from cors_headers import OTHER_PAGE, PAGE
from corscore import Policy, PolicyMap, PolicyRef
from corscore_flask import CORS, cross_origin, current_decision

FIXED = Policy(allow_origins=[OTHER_PAGE], expose_headers=["X-Fixed"], max_age=77)


def generation(number: int) -> Policy:
    """Return a policy that has its number in every header."""
    return Policy(
        allow_origins=[PAGE],
        allow_methods=[f"GENERATION-{number}"],
        allow_headers=[f"x-generation-{number}"],
        expose_headers=[f"X-Generation-{number}"],
        max_age=number,
    )


def by_path(number: int) -> PolicyMap:
    """Return a map of such policies."""
    return PolicyMap({"/seen": generation(number), "/replace/*": generation(number)})


def flask_app() -> Flask:
    """Return the application; ``/replace/<count>`` replaces its references in turn."""
    app = Flask(__name__)
    of_app, of_route, of_blueprint = (
        PolicyRef(by_path(0)),
        PolicyRef(generation(0)),
        PolicyRef(generation(0)),
    )
    numbers = itertools.count(1)
    blueprint = Blueprint("blue", __name__, url_prefix="/blue")
    CORS(app, of_app)
    CORS(blueprint, of_blueprint)

    @app.get("/replace/<int:count>")
    def replace(count: int) -> str:
        for number in itertools.islice(numbers, count):
            of_app.replace(by_path(number))
            of_route.replace(generation(number))
            of_blueprint.replace(generation(number))
        return str(count)

    def seen() -> str:
        # The answer has the policy that the view sees, even if it is replaced meanwhile.
        before = current_decision()
        time.sleep(0.0005)
        assert before is current_decision()
        return "" if before is None else dict(before.headers)["Access-Control-Expose-Headers"]

    app.add_url_rule("/seen", "seen", seen)
    app.add_url_rule("/moving", "moving", cross_origin(of_route)(seen))
    app.add_url_rule("/fixed", "fixed", cross_origin(FIXED)(seen))
    app.add_url_rule("/alone", "alone", cross_origin(None)(lambda: ""))
    blueprint.add_url_rule("/seen", "seen", seen)
    app.register_blueprint(blueprint)
    return app
