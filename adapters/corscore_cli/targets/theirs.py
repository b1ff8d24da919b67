"""Other libraries' options under the names of ``Policy``, with the meaning that they have there."""

from __future__ import annotations

import re
from typing import Any

FLASK_NAMES = {
    "allow_origins": "origins",
    "allow_methods": "methods",
    "allow_credentials": "supports_credentials",
}
"""Options of ``Policy`` to what flask-cors calls them."""

_EVERY_PATH = ("/*", "/.*", ".*", "*")


def from_starlette_instance(layer: Any) -> dict[str, Any]:
    """The options of a built ``starlette.middleware.cors.CORSMiddleware``, from what is left."""
    sent: dict[str, str] = {
        name.lower().rpartition("-")[2]: value for name, value in layer.simple_headers.items()
    }
    prepared: dict[str, str] = dict(layer.preflight_headers)
    ages = [value for name, value in prepared.items() if name.lower().endswith("-max-age")]
    exposed = [value for name, value in layer.simple_headers.items() if "-expose-" in name.lower()]
    options: dict[str, Any] = {
        "allow_origins": ["*"] if layer.allow_all_origins else list(layer.allow_origins),
        "allow_methods": list(layer.allow_methods),
        "allow_headers": ["*"] if layer.allow_all_headers else list(layer.allow_headers),
        "expose_headers": [name.strip() for value in exposed for name in value.split(",")],
        "allow_credentials": sent.get("credentials") == "true",
        "max_age": int(ages[0]) if ages and str(ages[0]).isdigit() else 600,
    }
    if layer.allow_origin_regex is not None:
        options["allow_origin_regex"] = layer.allow_origin_regex
    return options


def from_flask_cors(pattern: Any, options: Any) -> tuple[str, dict[str, Any]]:
    """One resource of flask-cors: its path, empty for every one, and its options.

    Args:
        pattern: A path, or a regex over paths.
        options: What flask-cors made of the options: an object, or a dict before version 6.
    """

    def get(name: str, default: Any = None) -> Any:
        if isinstance(options, dict):
            return options.get(name, default)
        return getattr(options, name, default)

    path = str(getattr(pattern, "pattern", pattern))
    origins = list(get("origins") or ())
    is_any = bool(get("allow_all_origins", False)) or any(
        getattr(item, "pattern", item) in ("*", ".*") for item in origins
    )
    regexes = [item.pattern for item in origins if isinstance(item, re.Pattern)]
    given: dict[str, Any] = {
        "allow_origins": ["*"] if is_any else [i for i in origins if isinstance(i, str)],
        "allow_methods": _split(get("methods")),
        "allow_headers": _headers(get("allow_headers") or ()),
        "expose_headers": _split(get("expose_headers")),
        "allow_credentials": bool(get("supports_credentials")),
        "max_age": _seconds(get("max_age")),
        "_defaults": ("allow_methods", "allow_headers"),
    }
    if regexes and not is_any:
        given["allow_origin_regex"] = (
            regexes[0] if len(regexes) == 1 else "|".join(f"(?:{regex})" for regex in regexes)
        )
    return ("" if path in _EVERY_PATH else path), given


def _split(text: Any) -> list[str]:
    return [part.strip() for part in str(text or "").split(",") if part.strip()]


def _headers(items: Any) -> list[str]:
    sources = [str(getattr(item, "pattern", item)) for item in items]
    return ["*"] if any(source in ("*", ".*") for source in sources) else sources


def _seconds(value: Any) -> Any:
    text = str(value)
    return int(text) if value is not None and text.isascii() and text.isdigit() else value
