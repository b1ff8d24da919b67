"""corscore: one CORS policy engine for every Python web framework."""

from corscore._engine.decision import Decision
from corscore._engine.request import RequestInfo
from corscore._policy.map import PolicyMap
from corscore._policy.policy import Policy
from corscore._policy.reference import PolicyRef
from corscore._policy.resolver import OriginResolver
from corscore._policy.tenant import PolicyResolver
from corscore._standard.problem import ConfigError, Problem

__version__ = "0.1.0"

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
