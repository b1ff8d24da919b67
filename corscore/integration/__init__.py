"""What every adapter needs besides the engine: arguments, the governor and notices.

Public, for those who write an adapter for another framework.
"""

from __future__ import annotations

from corscore._engine.matcher import FOUND, environ_path, scope_path
from corscore._policy.policy import NO_ORIGIN
from corscore._policy.reference import SOURCES, check_every, compiled_source
from corscore._standard.text import escaped
from corscore.integration._arguments import (
    Notices,
    policies_from,
    policy_from,
    split_forbidden,
    translated_policy,
)
from corscore.integration._governor import Governor, Outcome, found_decision

TYPE_CHECKING = False
if TYPE_CHECKING:
    from corscore._config.options import PolicyOptions as PolicyOptions
    from corscore.integration._governor import OnDecision as OnDecision
    from corscore.integration._governor import PathPolicy as PathPolicy
    from corscore.integration._governor import Policies as Policies

__all__ = (
    "FOUND",
    "NO_ORIGIN",
    "SOURCES",
    "Governor",
    "Notices",
    "Outcome",
    "check_every",
    "compiled_source",
    "environ_path",
    "escaped",
    "found_decision",
    "policies_from",
    "policy_from",
    "scope_path",
    "split_forbidden",
    "translated_policy",
)
