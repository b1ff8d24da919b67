"""The Public Suffix List, https://publicsuffix.org: below which hosts anyone can register names."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from publicsuffixlist import PublicSuffixList

_lists: dict[bool, PublicSuffixList] = {}
_below: dict[str, list[str]] = {}

# No exception rule of the list has this label.
_ANY_LABEL = "corscore-any-label"


def is_public_suffix(host: str, *, private: bool = True) -> bool:
    """Whether a listed rule lets anyone register names directly below ``host``.

    Private rules count (``github.io``), and so do the parents of wildcard rules (``ck``, for the
    rule ``*.ck``). The implicit rule ``*`` does not: it would make every host with a single label a
    suffix.

    Args:
        host: A domain in lower case, with or without a trailing dot.
        private: Whether the rules of hosting companies count, besides those of registries.
    """
    host = host.removesuffix(".")
    below = f"{_ANY_LABEL}.{host}"
    # Of a name below a suffix it returns that suffix, or, by a wildcard rule, the whole name.
    return _loaded(private).publicsuffix(below) in (host, below)


def registrable_domain(host: str, *, private: bool = True) -> str | None:
    """The registrable domain of a host: ``example.co.uk`` of ``app.example.co.uk``.

    Args:
        host: A domain in lower case, with or without a trailing dot.
        private: As above.

    Returns:
        None where the host is a public suffix or a single label. Under a top-level domain that is
        not in the list, such as ``internal``, the last two labels.
    """
    host = host.removesuffix(".")
    if is_public_suffix(host, private=private):
        return None
    labels = host.split(".")
    unknown = ".".join(labels[-2:]) if len(labels) > 1 else None
    return _loaded(private).privatesuffix(host) or unknown


def suffixes_below(host: str) -> tuple[str, ...]:
    """The public suffixes that end in ``.host``: ``s3.amazonaws.com`` of ``amazonaws.com``.

    Args:
        host: A domain in lower case, with or without a trailing dot.
    """
    if not _below:
        # Imported late, as in `_loaded`.
        from pathlib import Path

        from publicsuffixlist import PSLFILE

        with Path(PSLFILE).open(encoding="utf-8") as lines:
            for rule in (line.split()[0] for line in lines if line[:1] not in ("/", "!", "\n")):
                parent = suffix = rule.removeprefix("*.")
                while parent := parent.partition(".")[2]:
                    _below.setdefault(parent, []).append(suffix)
    return tuple(_below.get(host.removesuffix("."), ()))


def _loaded(private: bool) -> PublicSuffixList:
    # Imported and parsed late and once: it costs more than the rest of the engine, and only
    # credentials beside a `*.` pattern or a regex need it.
    if private not in _lists:
        from publicsuffixlist import PublicSuffixList

        _lists[private] = PublicSuffixList(accept_unknown=False, only_icann=not private)
    return _lists[private]
