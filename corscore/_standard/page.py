"""The documentation page of a code."""

from __future__ import annotations

from functools import cache

_LABEL = "documentation"


def code_page(code: str) -> str:
    """Return the URL of a code's page, or the command that shows the page.

    Args:
        code: Such as ``"origin-trailing-slash"``.
    """
    base = _documentation()
    return "/".join((base, "docs", "codes", f"{code}.html")) if base else f"corscore code {code}"


@cache
def _documentation() -> str:
    """Return the package's documentation URL, or an empty string."""
    # Imported late: it is larger than the whole engine, and only messages need it.
    from importlib.metadata import PackageNotFoundError, metadata

    try:
        urls = metadata("corscore").get_all("Project-URL") or []
    except PackageNotFoundError:
        return ""
    named = (url.partition(",") for url in urls)
    found = (url.strip() for label, _, url in named if label.strip().lower() == _LABEL)
    return next(found, "").rstrip("/")
