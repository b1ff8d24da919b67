"""The demo's policies by path: one that the page edits, one for everybody, and none for a path."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from corscore import Policy, PolicyMap

if TYPE_CHECKING:
    from collections.abc import Mapping

PUBLIC = "/public/*"
INTERNAL = "/internal/*"
DEFAULT = "default"

ABOUT = {
    DEFAULT: "the policy that you edit",
    PUBLIC: "open to everyone, and never with cookies",
    INTERNAL: "None: left alone, whatever the policies say",
}
"""What each key of the map stands for."""


def policies(options: Mapping[str, Any]) -> PolicyMap:
    """The map of all policies, with these options for whatever has no policy of its own.

    Raises:
        ConfigError: With all that is wrong with the options.
    """
    return PolicyMap(
        {PUBLIC: Policy(allow_origins=["*"]), INTERNAL: None}, default=Policy(**options)
    )


def governing_key(policies: PolicyMap, path: str) -> str:
    """Under which key of the map a path's policy is."""
    governing = policies.policy_for(path)
    # By identity: what is edited may come to equal the public policy, and is another one still.
    return next((key for key, policy in policies.items() if policy is governing), DEFAULT)


def as_python(options: Mapping[str, object]) -> str:
    """``policies(options)`` as the call that makes it; what is empty or off is left out."""
    given = [
        f"    {name}={json.dumps(value) if isinstance(value, list) else value},"
        for name, value in options.items()
        if value != [] and value is not False
    ]
    return "\n".join(
        (
            "PolicyMap({",
            f'    "{PUBLIC}": Policy(allow_origins=["*"]),',
            f'    "{INTERNAL}": None,',
            "}, default=Policy(",
            *given,
            "))",
        )
    )
