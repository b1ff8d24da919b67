"""The comparison of a policy with a shadow policy, as a browser sees both."""

from __future__ import annotations

from corscore._standard.text import escaped

TYPE_CHECKING = False
if TYPE_CHECKING:
    from corscore._engine.decision import Decision
    from corscore._engine.request import RequestInfo
    from corscore._policy.policy import Policy


class Treatment:
    """A browser's treatment of the response to one request.

    Two are equal if the browser does the same: goes on or not, with or without credentials, and
    with the same exposed headers. Reasons and cache times do not count.
    """

    __slots__ = ("_values", "text")

    def __init__(self, policy: Policy | None, decision: Decision | None) -> None:
        self._values: tuple[object, ...]
        if policy is None or decision is None:
            self._values, self.text = ("left alone",), "left alone"
        elif not decision.allowed:
            self._values, self.text = ("refused",), f"refused ({decision.reason})"
        else:
            exposed = () if decision.is_preflight else policy.expose_headers
            self._values = (
                "allowed",
                policy.allow_credentials,
                frozenset(map(str.lower, exposed)),
            )
            credentials = "with" if policy.allow_credentials else "without"
            self.text = f"allowed {credentials} credentials"
            if exposed:
                self.text += f", exposing {', '.join(exposed)}"

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Treatment):
            return NotImplemented
        return self._values == other._values

    def __hash__(self) -> int:
        return hash(self._values)


def report(request: RequestInfo, current: Treatment, shadow: Treatment) -> None:
    """Log a request that a browser would treat differently under the shadow policy."""
    if request.origin is None or request.is_own_origin or current == shadow:
        return
    # Imported late: logging is larger than the whole engine.
    from logging import getLogger

    getLogger("corscore").warning(
        "shadow: origin %s, %s %s is %s, and would be %s",
        escaped(request.origin),
        escaped(request.method),
        escaped(request.path),
        current.text,
        shadow.text,
    )
