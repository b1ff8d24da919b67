"""The Public Suffix List, https://publicsuffix.org: below which hosts anyone can register names."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from publicsuffixlist import PublicSuffixList

_list: PublicSuffixList | None = None

# No exception rule of the list has this label.
_ANY_LABEL = "corscore-any-label"


def is_public_suffix(host: str) -> bool:
    """Whether a listed rule lets anyone register names directly below ``host``.

    Private rules count (``github.io``), and so do the parents of wildcard rules (``ck``, for the
    rule ``*.ck``). The implicit rule ``*`` does not: it would make every host with a single label a
    suffix.

    Args:
        host: A domain in lower case, with or without a trailing dot.
    """
    host = host.removesuffix(".")
    below = f"{_ANY_LABEL}.{host}"
    # The public part of a name below a suffix is that suffix, or the whole name by a wildcard rule.
    return _loaded().publicsuffix(below) in (host, below)


def registrable_domain(host: str) -> str | None:
    """The registrable domain of a host: ``example.co.uk`` of ``app.example.co.uk``.

    Args:
        host: A domain in lower case, with or without a trailing dot.

    Returns:
        None where the host is a public suffix or a single label. Under a top-level domain that is
        not in the list, such as ``internal``, the last two labels.
    """
    host = host.removesuffix(".")
    if is_public_suffix(host):
        return None
    labels = host.split(".")
    unknown = ".".join(labels[-2:]) if len(labels) > 1 else None
    return _loaded().privatesuffix(host) or unknown


def _loaded() -> PublicSuffixList:
    # Imported and parsed late and once: it costs more than the rest of the engine, and only a
    # configuration with credentials and a `*.` pattern needs it.
    global _list
    if _list is None:
        from publicsuffixlist import PublicSuffixList

        _list = PublicSuffixList(accept_unknown=False)
    return _list
