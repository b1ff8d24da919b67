"""corscore: one CORS policy engine for every Python web framework."""

from corscore._engine.decision import Decision
from corscore._engine.request import RequestInfo
from corscore._policy.policy import Policy
from corscore._standard.problem import ConfigError, Problem

__version__ = "0.1.0"

TYPE_CHECKING = False
if TYPE_CHECKING:
    from corscore._policy.map import PolicyMap
    from corscore._policy.reference import PolicyRef
    from corscore._policy.resolver import OriginResolver
    from corscore._policy.tenant import PolicyResolver

__all__ = (
    "ConfigError",
    "Decision",
    "OriginResolver",
    "Policy",
    "PolicyMap",
    "PolicyRef",
    "PolicyResolver",
    "Problem",
    "RequestInfo",
)

# Imported on first use: most programs need none of them.
_MODULES = {
    "OriginResolver": "resolver",
    "PolicyMap": "map",
    "PolicyRef": "reference",
    "PolicyResolver": "tenant",
}


def __getattr__(name: str) -> object:
    if name not in _MODULES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    module = __import__(f"corscore._policy.{_MODULES[name]}", fromlist=[name])
    globals()[name] = value = getattr(module, name)
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
