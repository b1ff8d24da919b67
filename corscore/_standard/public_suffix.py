"""The Public Suffix List, https://publicsuffix.org: hosts below which anyone can register names."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from publicsuffixlist import PublicSuffixList

_lists: dict[bool, PublicSuffixList] = {}
_by_parent: dict[str, list[str]] = {}

# No rule of the list has this label.
_ANY_LABEL = "corscore-any-label"


def is_public_suffix(host: str, *, private: bool = True) -> bool:
    """Whether, by a rule of the list, anyone can register names directly below ``host``.

    A wildcard rule counts for its parent: ``*.ck`` for ``ck``. The implicit rule ``*`` does not
    count: it would make every host with a single label a suffix.

    Args:
        host: A domain in lower case, with or without a trailing dot.
        private: Whether the rules of hosting companies (``github.io``) count, too.
    """
    host = host.removesuffix(".")
    below = f"{_ANY_LABEL}.{host}"
    # The method returns the suffix of a name; by a wildcard rule, that is the whole name.
    return _loaded_list(private).publicsuffix(below) in (host, below)


def registrable_domain(host: str, *, private: bool = True) -> str | None:
    """The registrable domain of a host: ``example.co.uk`` of ``app.example.co.uk``.

    Args:
        host: A domain in lower case, with or without a trailing dot.
        private: As for ``is_public_suffix``.

    Returns:
        None if the host is a public suffix or a single label. Under a top-level domain that is not
        in the list, such as ``internal``, the last two labels.
    """
    host = host.removesuffix(".")
    if is_public_suffix(host, private=private):
        return None
    labels = host.split(".")
    unknown = ".".join(labels[-2:]) if len(labels) > 1 else None
    return _loaded_list(private).privatesuffix(host) or unknown


def suffixes_below(host: str) -> tuple[str, ...]:
    """The public suffixes that end in ``.host``: ``s3.amazonaws.com`` of ``amazonaws.com``.

    Args:
        host: A domain in lower case, with or without a trailing dot.
    """
    if not _by_parent:
        # Imported late, as in `_loaded_list`.
        from pathlib import Path

        from publicsuffixlist import PSLFILE

        with Path(PSLFILE).open(encoding="utf-8") as lines:
            for rule in (line.split()[0] for line in lines if line[:1] not in ("/", "!", "\n")):
                parent = suffix = rule.removeprefix("*.")
                while parent := parent.partition(".")[2]:
                    _by_parent.setdefault(parent, []).append(suffix)
    return tuple(_by_parent.get(host.removesuffix("."), ()))


def _loaded_list(private: bool) -> PublicSuffixList:
    # Loaded once and late: it costs more than the rest of the engine, and few configurations need
    # it.
    if private not in _lists:
        from publicsuffixlist import PublicSuffixList

        _lists[private] = PublicSuffixList(accept_unknown=False, only_icann=not private)
    return _lists[private]
