"""The tools of adapters beside the engine: arguments, the governor and notices.

Public, for those who write an adapter for another framework.
"""

from __future__ import annotations

from corscore._config.options import GOVERNOR_OPTIONS, did_you_mean
from corscore._config.spelling import python_literal
from corscore._engine.matcher import FOUND, environ_path, scope_path, single_slash_path
from corscore._policy.map import read_policies
from corscore._policy.mapping import stored_policies
from corscore._policy.policy import NO_ORIGIN
from corscore._policy.reference import SOURCES, check_every, compiled_source
from corscore._policy.resolver import check_sync
from corscore._standard.text import escaped, regex_literal
from corscore.integration._arguments import (
    Notices,
    check_observer,
    checked_source,
    policies_from,
    read_arguments,
    read_governor_options,
    read_switch,
    split_forbidden,
    translated_policy,
)
from corscore.integration._governor import Governor
from corscore.integration._open_ends import is_written_for_match, with_open_end
from corscore.integration._outcome import Outcome, found_decision

TYPE_CHECKING = False
if TYPE_CHECKING:
    from corscore._config.options import PolicyOptions as PolicyOptions
    from corscore.integration._arguments import AdapterOptions as AdapterOptions
    from corscore.integration._arguments import GovernorOptions as GovernorOptions
    from corscore.integration._governor import OnDecision as OnDecision
    from corscore.integration._governor import PathPolicy as PathPolicy
    from corscore.integration._governor import Policies as Policies

__all__ = (
    "FOUND",
    "GOVERNOR_OPTIONS",
    "NO_ORIGIN",
    "SOURCES",
    "Governor",
    "Notices",
    "Outcome",
    "check_every",
    "check_observer",
    "check_sync",
    "checked_source",
    "compiled_source",
    "did_you_mean",
    "environ_path",
    "escaped",
    "found_decision",
    "is_written_for_match",
    "policies_from",
    "python_literal",
    "read_arguments",
    "read_governor_options",
    "read_policies",
    "read_switch",
    "regex_literal",
    "scope_path",
    "single_slash_path",
    "split_forbidden",
    "stored_policies",
    "translated_policy",
    "with_open_end",
)
