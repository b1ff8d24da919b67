"""corscore: one CORS policy engine for every Python web framework."""

from corscore._decision import Decision
from corscore._errors import ConfigError, Problem
from corscore._policy import Policy
from corscore._request import RequestInfo

__all__ = (
    "ConfigError",
    "Decision",
    "Policy",
    "Problem",
    "RequestInfo",
)
