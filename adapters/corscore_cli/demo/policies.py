"""The demo's policies by path: the edited one, a public one, two by origin, and None."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from corscore import Policy, PolicyMap

if TYPE_CHECKING:
    from collections.abc import Mapping

PUBLIC = "/public/*"
SHARED = "/shared/*"
INTERNAL = "/internal/*"
DEFAULT = "default"

ABOUT = {
    DEFAULT: "the policy that you edit",
    PUBLIC: "open to everyone, and never with cookies",
    SHARED: "two by origin: one for the page, with cookies, and one for everyone",
    INTERNAL: "None: left alone, whatever the policies say",
}
"""Keys of the map, with their meaning for people."""


def build_policies(options: Mapping[str, Any], page_origin: str) -> PolicyMap:
    """Return the map of all policies.

    Args:
        options: The options of the edited policy, the map's default.
        page_origin: The origin of the page, which has a policy of its own for ``SHARED``.

    Raises:
        ConfigError: The options are refused.
    """
    public = Policy(allow_origins=["*"])
    own = Policy(allow_origins=[page_origin], allow_credentials=True)
    return PolicyMap(
        {PUBLIC: public, SHARED: (own, public), INTERNAL: None}, default=Policy(**options)
    )


def as_python(options: Mapping[str, object], page_origin: str) -> str:
    """Return the call that builds the same policies; empty and false options are left out."""
    given = [
        f"    {name}={json.dumps(value) if isinstance(value, list) else value},"
        for name, value in options.items()
        if value != [] and value is not False
    ]
    return "\n".join(
        (
            "PolicyMap({",
            f'    "{PUBLIC}": Policy(allow_origins=["*"]),',
            f'    "{SHARED}": (',
            f'        Policy(allow_origins=["{page_origin}"], allow_credentials=True),',
            '        Policy(allow_origins=["*"]),',
            "    ),",
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
