# cython: language_level=3, annotation_typing=False, nonecheck=True, binding=False
"""``PathTable``: policies by path; ``HostTable``: policies by host and path.

One source, two builds, as in ``matcher_py``. Paths are compared as frameworks route them: decoded
once, case-sensitive. The policies of a table never change.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from typing import Any

_PREFIX_END = "/*"
_BELOW = "*."
_HOST = b"host"
_HOST_LENGTH = len(_HOST)
# 253 bytes, a dot at the end and a port.
_LONGEST_HOST = 260
_LONGEST_LABEL = 63
_IN_LABEL = "abcdefghijklmnopqrstuvwxyz0123456789-_"
# The policy of a host for a path that none of its keys covers.
_NO_KEY = object()
# Bound what a `HostTable` remembers, since clients send any host.
_MAX_KNOWN = 1_000


def scope_path(scope: Mapping[str, Any]) -> str:
    """The path of an ASGI scope, relative to the application's mount.

    https://asgi.readthedocs.io/en/latest/specs/www.html: ``path`` includes ``root_path``. Older
    servers and frameworks leave it out.
    """
    # Compiled, both keys of a dict are read without a call.
    items: dict[str, Any] = scope if type(scope) is dict else dict(scope)
    sent = items["path"]
    # Compiled code takes no subclass of str, and `str` of one may be another text.
    path: str = sent if type(sent) is str else str.__str__(sent)
    root = items.get("root_path")
    if not root:
        return path or "/"
    if path == root:
        return "/"
    below = path.removeprefix(root)
    return below if below.startswith("/") else path


def environ_path(environ: Mapping[str, Any]) -> str:
    """The decoded path of a WSGI environ, relative to the application's mount."""
    sent = environ.get("PATH_INFO") or "/"
    path: str = sent if type(sent) is str else str.__str__(sent)
    if path.isascii():
        return path
    # PEP 3333: the path's bytes, each as one character of latin-1.
    return path.encode("latin-1", "replace").decode("utf-8", "replace")


def single_slash_path(environ: Mapping[str, Any]) -> str:
    """``environ_path`` with one slash at its start, however many were sent, as Werkzeug routes."""
    path = environ_path(environ)
    if path.startswith("/") and not path.startswith("//"):
        return path
    return f"/{path.lstrip('/')}"


def host_of(headers: Iterable[tuple[bytes, bytes]]) -> bytes | None:
    """The value of Host in raw header pairs; None without one, and for two."""
    host = None
    for name, value in headers:
        if len(name) == _HOST_LENGTH and (name == _HOST or name.lower() == _HOST):
            if host is not None:
                return None
            host = value
    return host


def host_name(value: object) -> str | None:
    """The host in a value of Host: in lower case, without port and one dot at its end.

    RFC 9110 section 7.2. None if there is none, or if it is longer than any host.
    """
    if not isinstance(value, str) or not value.isascii() or len(value) > _LONGEST_HOST:
        return None
    host = value.lower()
    colon = host.rfind(":")
    # An address in brackets has colons of its own.
    if colon >= 0 and not host.endswith("]"):
        port = host[colon + 1 :]
        if port and not port.isdigit():
            return None
        host = host[:colon]
    return host.removesuffix(".") or None


class Segment:
    """A segment of a prefix, with the segments below it.

    Attributes:
        below: The next segments by name.
        has_policy: Whether a prefix ends here.
        policy: The policy of everything below that prefix, or None.
    """

    def __init__(self) -> None:
        self.below: dict[str, Segment] = {}
        self.has_policy = False
        self.policy: Any = None


class PathTable:
    """Policies by path: a literal beats a prefix, a longer prefix a shorter one.

    Args:
        policies: Policies by checked keys: literal paths, and prefixes that end in ``/*``.
        default: The policy of all other paths, or None.
        ambiguous: The policy of a path with dots or empty segments whose resolved form has
            another policy: file servers resolve such paths, and routers may not.
    """

    def __init__(self, policies: Mapping[str, Any], default: Any, ambiguous: Any) -> None:
        self._ambiguous = ambiguous
        self._literals: dict[str, Any] = {}
        self._root = root = Segment()
        root.policy = default
        for key, policy in policies.items():
            if not key.endswith(_PREFIX_END):
                self._literals[key] = policy
                continue
            segment = root
            # "/api/v1/*" -> "api", "v1"; "/*" -> nothing, which is the root. Empty segments count.
            for name in key[1:-1].split("/")[:-1]:
                segment = segment.below.setdefault(name, Segment())
            segment.has_policy = True
            segment.policy = policy

    def find(self, path: str) -> Any:
        """Return the policy that governs a path, or None; never raises.

        The time is linear in the path's length, for any number of keys.

        Args:
            path: As the framework routes it: decoded, and relative to where the app is mounted.
                An empty one is ``"/"``, as in RFC 9110 section 4.2.3.
        """
        text: str = path if type(path) is str else str.__str__(path)
        text = text or "/"
        policy = self._find(text)
        if _may_resolve(text):
            resolved = _resolved(text)
            if resolved != text:
                other = self._find(resolved)
                if other is not policy and other != policy:
                    return self._ambiguous
        return policy

    def find_scope(self, scope: Mapping[str, Any]) -> Any:
        """The policy for an ASGI scope."""
        return self.find(scope_path(scope))

    def find_environ(self, environ: Mapping[str, Any]) -> Any:
        """The policy for a WSGI environ."""
        return self.find(environ_path(environ))

    def _find(self, path: str) -> Any:
        if self._literals and path in self._literals:
            return self._literals[path]
        segment = self._root
        policy = segment.policy
        below = segment.below
        if not below or path[0] != "/":
            return policy
        start = 1
        # A prefix's segment ends in a slash: "/api/*" does not cover "/api".
        while below:
            end = path.find("/", start)
            if end < 0:
                break
            found = below.get(path[start:end])
            if found is None:
                break
            segment = found
            if segment.has_policy:
                policy = segment.policy
            below = segment.below
            start = end + 1
        return policy


class HostTable:
    """Policies by host and path: first the host is looked up, then the path among its keys.

    A literal host beats one with ``*.``, a longer one a shorter. If no key of the host covers the
    path, keys without a host count.

    Args:
        hosts: For each host, also with ``*.`` for one or more labels, its policies by path.
        rest: The policies by path without a host.
        ambiguous: As in ``PathTable``.
    """

    def __init__(
        self, hosts: Mapping[str, Mapping[str, Any]], rest: PathTable, ambiguous: Any
    ) -> None:
        self._ambiguous = ambiguous
        self._rest = rest
        self._no_keys = PathTable({}, _NO_KEY, ambiguous)
        self._literals: dict[str, PathTable] = {}
        self._below: dict[str, PathTable] = {}
        for host, policies in hosts.items():
            tables = self._below if host.startswith(_BELOW) else self._literals
            tables[host.removeprefix(_BELOW)] = PathTable(policies, _NO_KEY, ambiguous)
        # By values of Host as they were sent; bytes under ASGI.
        self._known: dict[str | bytes | None, PathTable] = {}

    def find(self, path: str, host: str | bytes | None) -> Any:
        """Return the policy that governs a path on a host, or None; never raises.

        Args:
            path: As in ``PathTable.find``.
            host: The value of Host, or None. Its case, its port and a dot at its end do not count;
                a malformed value counts as none.
        """
        text: str = path if type(path) is str else str.__str__(path)
        text = text or "/"
        table = self._known.get(host)
        if table is None:
            table = self._learned(host)
        policy = self._at(table, text)
        if _may_resolve(text):
            resolved = _resolved(text)
            if resolved != text:
                other = self._at(table, resolved)
                if other is not policy and other != policy:
                    return self._ambiguous
        return policy

    def find_scope(self, scope: Mapping[str, Any]) -> Any:
        """The policy for an ASGI scope."""
        return self.find(scope_path(scope), host_of(scope["headers"]))

    def find_environ(self, environ: Mapping[str, Any]) -> Any:
        """The policy for a WSGI environ."""
        return self.find(environ_path(environ), environ.get("HTTP_HOST"))

    def _learned(self, host: str | bytes | None) -> PathTable:
        """Look the policies of a host up, and remember them."""
        name = host_name(host.decode("latin-1") if isinstance(host, bytes) else host)
        if name is None:
            return self._no_keys
        if len(self._known) >= _MAX_KNOWN:
            self._known = {}
        table = self._known[host] = self._table(name)
        return table

    def _table(self, host: str) -> PathTable:
        table = self._literals.get(host)
        if table is not None:
            return table
        dot = host.find(".")
        while dot >= 0:
            table = self._below.get(host[dot + 1 :])
            if table is not None:
                return table if _is_domain(host) else self._no_keys
            dot = host.find(".", dot + 1)
        return self._no_keys

    def _at(self, table: PathTable, path: str) -> Any:
        policy = table._find(path)
        return self._rest._find(path) if policy is _NO_KEY else policy


def _is_domain(host: str) -> bool:
    """``corscore._standard.host.is_domain``, in one pass."""
    length = 0
    for char in host:
        if char == ".":
            if length == 0:
                return False
            length = 0
        elif char in _IN_LABEL:
            length += 1
            if length > _LONGEST_LABEL:
                return False
        else:
            return False
    return length > 0


def _may_resolve(path: str) -> bool:
    """Whether a path has a backslash, or a dot or an empty segment behind a slash."""
    previous = " "
    # One pass: three searches would cost more than the rest of the lookup.
    for char in path:
        if char == "\\" or (previous == "/" and char in "./"):
            return True
        previous = char
    return False


def _resolved(path: str) -> str:
    """A path with its dots resolved, and without empty segments except one at the end.

    https://url.spec.whatwg.org/#path-state; file systems ignore empty segments.
    """
    parts = path.replace("\\", "/").split("/")
    kept: list[str] = []
    for part in parts:
        if part == "..":
            if kept:
                kept.pop()
        elif part not in ("", "."):
            kept.append(part)
    slash = "/" if kept and parts[-1] in ("", ".", "..") else ""
    return f"/{'/'.join(kept)}{slash}"
