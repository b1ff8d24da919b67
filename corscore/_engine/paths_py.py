# cython: language_level=3, annotation_typing=False, nonecheck=True, binding=False
"""``PathTable``: policies by path.

One source, two builds, as ``matcher_py``. Paths are compared as frameworks route them: decoded
once, case-sensitive. A table never changes.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

_PREFIX_END = "/*"


def scope_path(scope: Mapping[str, Any]) -> str:
    """The path of an ASGI scope, relative to the application's mount.

    https://asgi.readthedocs.io/en/latest/specs/www.html: ``path`` includes ``root_path``. Older
    servers and frameworks leave it out.
    """
    path: str = scope["path"]
    root = scope.get("root_path")
    if not root:
        return path or "/"
    if path == root:
        return "/"
    below = path.removeprefix(root)
    return below if below.startswith("/") else path


def environ_path(environ: Mapping[str, Any]) -> str:
    """The decoded path of a WSGI environ, relative to the application's mount."""
    path: str = environ.get("PATH_INFO") or "/"
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


class Segment:
    """A segment of a prefix, with the segments below it.

    Attributes:
        below: The names of the next segments to their ``Segment``.
        has_policy: Whether a prefix ends here.
        policy: The policy of everything below that prefix, or None.
    """

    def __init__(self) -> None:
        self.below: dict[str, Segment] = {}
        self.has_policy = False
        self.policy: Any = None


class PathTable:
    """Policies by path. A literal beats a prefix, a longer prefix a shorter one.

    Args:
        policies: Checked keys to policies: literal paths, and prefixes that end in ``/*``.
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
        """Return the policy that governs a path; None leaves it alone. Never raises.

        Linear in the path's length, for any number of keys.

        Args:
            path: As the framework routes it: decoded, and relative to where the app is mounted.
                An empty one is ``"/"``, as in RFC 9110 section 4.2.3.
        """
        path = path or "/"
        policy = self._find(path)
        if _may_resolve(path):
            resolved = _resolved(path)
            if resolved != path:
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
    """A path with its dots resolved, without empty segments but the last, clamped at its root.

    https://url.spec.whatwg.org/#path-state; empty segments go as in file systems.
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
