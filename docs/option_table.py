"""Write the spellings of each option into docs/options.md, from the adapters' own tables."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

from corscore._config.options import OPTIONS
from corscore_django._settings import _DEFAULTS as DJANGO_DEFAULTS
from corscore_django._settings import OPTIONS as DJANGO
from corscore_flask._options import _DEFAULTS as FLASK_DEFAULTS
from corscore_flask._options import _FLASK_NAMES as FLASK

PAGE = Path(__file__).parent / "options.md"
BEGIN, END = (
    "<!-- spellings: begin; the output of `make option-table` -->\n",
    "<!-- spellings: end -->",
)
_HEAD = "| `Policy`, Starlette, ASGI, WSGI | variable | Flask | Django |\n|---|---|---|---|\n"


def table() -> str:
    """Return the table in Markdown; a default follows where it differs from that of ``Policy``."""
    django = {option: setting for setting, option in DJANGO.items()}
    rows = []
    for name, option in OPTIONS.items():
        flask = FLASK[name]
        variable = "none" if option.kind == "resolver" else f"`CORS_{name.upper()}`"
        cells = (
            f"`{name}` = {_shown(option.default)}",
            variable,
            f"`{flask}`{_other(FLASK_DEFAULTS.get(flask, option.default), option.default)}",
            f"`{django[name]}`{_other(DJANGO_DEFAULTS.get(name, option.default), option.default)}",
        )
        rows.append(f"| {' | '.join(cells)} |\n")
    return _HEAD + "".join(rows)


def spellings() -> dict[str, dict[str, Any]]:
    """Return each option's name and default in each framework, as JSON has them."""
    django = {option: setting for setting, option in DJANGO.items()}
    found = {}
    for name, option in OPTIONS.items():
        if option.kind == "resolver":
            continue
        flask = FLASK[name]
        found[name] = {
            "default": _plain(option.default),
            "starlette": {"name": name, "default": _plain(option.default)},
            "flask": {
                "name": flask,
                "default": _plain(FLASK_DEFAULTS.get(flask, option.default)),
            },
            "django": {
                "name": django[name],
                "default": _plain(DJANGO_DEFAULTS.get(name, option.default)),
            },
        }
    return found


def _plain(default: object) -> object:
    return list(default) if isinstance(default, (list, tuple)) else default


def page(text: str) -> str:
    """Return the page with the table of now."""
    return re.sub(
        f"(?<={re.escape(BEGIN)}).*(?={re.escape(END)})", lambda _: table(), text, flags=re.DOTALL
    )


def _other(default: object, usual: object) -> str:
    return "" if default == usual else f" = {_shown(default)}"


def _shown(default: object) -> str:
    if isinstance(default, (list, tuple)):
        return ", ".join(default) or "none"
    return f"`{default}`"


if __name__ == "__main__":
    PAGE.write_text(page(PAGE.read_text(encoding="utf-8")), encoding="utf-8")
