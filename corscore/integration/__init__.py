"""What every adapter needs besides the engine: its arguments read, and its notices said once.

Public, for those who write an adapter for another framework.
"""

from __future__ import annotations

from corscore._engine.context import RequestContext
from corscore._engine.request import environ_getter
from corscore._standard.text import escaped
from corscore.integration._arguments import (
    Notices,
    policies_from,
    policy_from,
    split_forbidden,
    translated_policy,
)
from corscore.integration._governor import Governor, Outcome

TYPE_CHECKING = False
if TYPE_CHECKING:
    from corscore._config.options import PolicyOptions as PolicyOptions
    from corscore.integration._governor import OnDecision as OnDecision
    from corscore.integration._governor import Policies as Policies

__all__ = (
    "Governor",
    "Notices",
    "Outcome",
    "RequestContext",
    "environ_getter",
    "escaped",
    "policies_from",
    "policy_from",
    "split_forbidden",
    "translated_policy",
)
