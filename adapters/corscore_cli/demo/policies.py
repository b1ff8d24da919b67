"""The demo's policies by path: the edited one, a public one, and None for a path."""

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
"""Keys of the map, with their meaning for people."""


def policies(options: Mapping[str, Any]) -> PolicyMap:
    """Return the map of all policies; the options are those of its default.

    Raises:
        ConfigError: The options are refused.
    """
    return PolicyMap(
        {PUBLIC: Policy(allow_origins=["*"]), INTERNAL: None}, default=Policy(**options)
    )


def governing_key(policies: PolicyMap, path: str) -> str:
    """Return the key of the map that governs a path."""
    governing = policies.policy_for(path)
    # By identity: the edited policy may become equal to the public one.
    return next((key for key, policy in policies.items() if policy is governing), DEFAULT)


def as_python(options: Mapping[str, object]) -> str:
    """Return the call that builds ``policies(options)``, without empty or false options."""
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


def start_options(page_origin: str) -> dict[str, object]:
    """Return the options of the edited policy at the start."""
    return {
        "allow_origins": [page_origin],
        "allow_methods": ["PUT", "PATCH"],
        "allow_headers": ["Authorization"],
        "expose_headers": ["X-Total-Count"],
        "allow_credentials": True,
        "allow_null_origin": False,
        "max_age": 600,
    }


def changed_options(page_origin: str, other_origin: str) -> dict[str, object]:
    """Return the options of the live change that the terminal shows."""
    return {
        **start_options(page_origin),
        "allow_origins": [page_origin, other_origin],
        "allow_methods": ["PUT", "PATCH", "DELETE"],
    }
