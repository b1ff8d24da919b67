"""corscore: one CORS policy engine for every Python web framework."""

from corscore._decision import Decision
from corscore._errors import ConfigError, Problem
from corscore._policy import Policy
from corscore._reference import PolicyRef
from corscore._request import RequestInfo
from corscore._resolver import OriginResolver
from corscore._routing import PolicyMap

__all__ = (
    "ConfigError",
    "Decision",
    "OriginResolver",
    "Policy",
    "PolicyMap",
    "PolicyRef",
    "Problem",
    "RequestInfo",
)
