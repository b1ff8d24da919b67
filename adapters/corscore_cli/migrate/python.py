"""Python to paste for a move from another library, and the lines of a module that it replaces."""

from __future__ import annotations

import ast
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from corscore import Policy, PolicyMap
from corscore.integration import regex_literal
from corscore_cli.migrate.libraries import (
    ASGI_CORS,
    DJANGO,
    FASTAPI,
    PACKAGES,
    WSGICORS,
)
from corscore_cli.migrate.repairs import ORIGIN_TO_FILL_IN
from corscore_cli.shell.location import shown_path
from corscore_cli.targets.layers import FLASK_CORS, STARLETTE
from corscore_cli.targets.regex import wider_key

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from corscore.integration import PathPolicy
    from corscore_cli.migrate.stack import OldLayer

_WIDTH = 88
_TO_FILL_IN = (
    "# Every origin could read with the cookies of your visitors. List your own pages here:",
    'allow_origins=[],  # such as "https://app.example.com"',
    '# or let every page read, without cookies: put allow_origins=["*"] here, and drop',
    "# allow_credentials.",
)


def policy_source(policy: Policy, indent: str = "") -> str:
    """Return ``Policy(...)`` over several lines.

    ``ORIGIN_TO_FILL_IN`` becomes an empty list, which ``Policy`` refuses.

    Args:
        policy: The policy.
        indent: The indentation of the first line.
    """
    call = ast.parse(repr(policy), mode="eval").body
    if not isinstance(call, ast.Call):
        return repr(policy)
    lines = [
        f"{keyword.arg}={_value(keyword.value, f'{indent}    ')},"
        for keyword in call.keywords
        if not (keyword.arg == "allow_origins" and _is_to_fill_in(policy))
    ]
    if _is_to_fill_in(policy):
        lines = [*_TO_FILL_IN, *lines]
    return "\n".join(["Policy(", *(f"{indent}    {line}" for line in lines), f"{indent})"])


def _is_to_fill_in(policy: Policy) -> bool:
    return policy.allow_origins == (ORIGIN_TO_FILL_IN,)


def _value(node: ast.expr, indent: str) -> str:
    if not isinstance(node, ast.List):
        return _literal(node)
    items = [_literal(item) for item in node.elts]
    line = f"[{', '.join(items)}]"
    if len(line) <= _WIDTH - len(indent):
        return line
    return "\n".join(["[", *(f"{indent}    {item}," for item in items), f"{indent}]"])


def _literal(node: ast.expr) -> str:
    """Return a literal in double quotes."""
    value = node.value if isinstance(node, ast.Constant) else None
    if not isinstance(value, str) or not value.isprintable() or '"' in value:
        return ast.unparse(node)
    if "\\" in value:
        return ast.unparse(node) if value.endswith("\\") else f'r"{value}"'
    return f'"{value}"'


_INSTALLS = {
    STARLETTE: ("from corscore_starlette import install", "install(app, policy)"),
    FASTAPI: ("from corscore_starlette import install", "install(app, policy)"),
    FLASK_CORS: ("from corscore_flask import CORS", "CORS(app, policy)"),
    ASGI_CORS: ("from corscore_asgi import CORSMiddleware", "app = CORSMiddleware(app, policy)"),
    WSGICORS: ("from corscore_wsgi import CORSMiddleware", "app = CORSMiddleware(app, policy)"),
}
_DJANGO_APPS = """\
INSTALLED_APPS = [
    "corscore_django",  # where "corsheaders" was
    # ...
]
MIDDLEWARE = [
    "corscore_django.middleware.CorsMiddleware",  # where that of corsheaders was
    # ...
]
"""
_NO_ORIGIN = "# It allows no origin at all. Leave it out, or list the origins that are yours.\n"
# Settings that list modules of django-cors-headers.
_DJANGO_LISTS = ("INSTALLED_APPS", "MIDDLEWARE")
# Modules to import a library from, where it is not the package alone.
_MODULES = {
    STARLETTE: ("starlette.middleware.cors", "fastapi.middleware.cors"),
    FASTAPI: ("starlette.middleware.cors", "fastapi.middleware.cors"),
    DJANGO: ("corsheaders.signals",),
}


def joined_policies(
    policies: Iterable[tuple[OldLayer, Policy | None]],
) -> PathPolicy | PolicyMap:
    """Return the policies of all layers as one; the first layer with a key wins."""
    by_key: dict[str, Policy | None] = {}
    for layer, policy in policies:
        for key, has_policy in layer.paths.keys:
            by_key.setdefault(key, policy if has_policy else None)
    if list(by_key) == ["/*"]:
        return by_key["/*"]
    default = by_key.pop("/*", None)
    is_any = default is not None or any(policy is not None for policy in by_key.values())
    return PolicyMap(by_key, default=default) if is_any else None


def adapter_source(
    library: str, policies: PathPolicy | PolicyMap, layers: Iterable[OldLayer] = ()
) -> str:
    """Return the Python that replaces that of another library.

    Args:
        library: A key of ``PACKAGES``.
        policies: The new policies; None allows no origin.
        layers: The old layers, for notes on paths that no key covers.
    """
    if policies is None:
        return _NO_ORIGIN
    shared: dict[Policy, str] = {}
    if isinstance(policies, PolicyMap):
        counts = Counter(policies.policies())
        several = [policy for policy, count in counts.items() if count > 1]
        shared = {policy: f"policy_{number}" for number, policy in enumerate(several, 1)}
        body = _map_source(policies, shared)
    else:
        body = _entry_source(policies, shared)
    before = [f"{name} = {policy_source(policy)}" for policy, name in shared.items()]
    is_map = isinstance(policies, PolicyMap)
    imports = ["import re", ""] if "re.compile(" in "".join([body, *before]) else []
    imports.append("from corscore import " + ("Policy, PolicyMap" if is_map else "Policy"))
    if library == DJANGO:
        return "\n".join([*imports, "", f"CORS_POLICY = {body}", ""])
    install, call = _INSTALLS[library]
    notes = [note for layer in layers for note in _notes(layer)]
    return "\n".join([*imports, install, "", *notes, *before, f"policy = {body}", call, ""])


def django_source(regex: str | None, policy: Policy | None) -> str:
    """Return the new settings of a Django project.

    Args:
        regex: The new ``CORS_URLS_REGEX``, or None to keep the old one.
        policy: The new ``CORS_POLICY``, or None to keep the ``CORS_*`` settings.
    """
    urls = "" if regex is None else f"CORS_URLS_REGEX = {regex_literal(regex)}\n"
    if policy is None:
        return _DJANGO_APPS + urls
    imports, name, setting = adapter_source(DJANGO, policy).partition("CORS_POLICY")
    return imports + _DJANGO_APPS + urls + name + setting


def _notes(layer: OldLayer) -> Iterator[str]:
    if layer.paths.keys or layer.paths.pattern is None:
        return
    wider = wider_key(layer.paths.pattern)
    yield f"# No key of a PolicyMap covers the paths of {layer.paths.text!a} alone."
    if wider is not None:
        yield f'# "{wider}" covers them, and more: add it if it may.'


def _map_source(policies: PolicyMap, names: Mapping[Policy, str]) -> str:
    lines = [
        f'        "{key}": {_entry_source(policy, names, "        ")},'
        for key, policy in policies.items()
    ]
    default = policies.default
    last = []
    if default is not None:
        last = [f"    default={_entry_source(default, names, '    ')},"]
    return "\n".join(["PolicyMap(", "    {", *lines, "    },", *last, ")"])


def _entry_source(policy: PathPolicy, names: Mapping[Policy, str], indent: str = "") -> str:
    if policy is None:
        return "None"
    if isinstance(policy, Policy):
        return names.get(policy) or policy_source(policy, indent)
    # No other library gives tenants their policies, so the rest is a tuple.
    policies = policy if isinstance(policy, tuple) else ()
    return f"({', '.join(_entry_source(each, names, indent) for each in policies)},)"


@dataclass(frozen=True, slots=True)
class OldLines:
    """Lines of a user's module that the new Python replaces.

    Attributes:
        place: The file and its first line.
        text: The lines.
    """

    place: str
    text: str

    def to_dict(self) -> dict[str, str]:
        """Return a dict for JSON."""
        return {"place": self.place, "text": self.text}


def old_lines(
    path: str | Path | None, library: str, *, app: str = "", settings: Iterable[str] = ()
) -> list[OldLines]:
    """Find the lines of a module that a move replaces: imports, calls, settings.

    Args:
        path: The module's file, or None.
        library: A key of ``PACKAGES``.
        app: The name of the application in the module, or "" where it is unknown.
        settings: The names of settings to replace.
    """
    try:
        source = Path(path).read_text(encoding="utf-8") if path else ""
        tree = ast.parse(source)
    except (OSError, ValueError, SyntaxError, RecursionError):
        return []
    lines = source.splitlines()
    found = [*_calls(tree, library, app), *_settings(tree, library, frozenset(settings))]
    found.sort(key=lambda node: node.lineno)
    return [
        OldLines(
            f"{shown_path(path or '')}:{node.lineno}",
            "\n".join(lines[node.lineno - 1 : node.end_lineno or node.lineno]),
        )
        for node in found
    ]


def _calls(tree: ast.AST, library: str, app: str) -> Iterator[Any]:
    """Yield imports from a library, and statements that call the imported names for an app."""
    modules = _MODULES.get(library, (PACKAGES[library],))
    imported: set[str] = set()
    for node in ast.walk(tree):
        if isinstance(node, (ast.Import, ast.ImportFrom)):
            origins = {one.name for one in node.names}
            if isinstance(node, ast.ImportFrom):
                origins = {node.module or ""}
            if origins & set(modules):
                imported |= {one.asname or one.name.partition(".")[0] for one in node.names}
                yield node
    for node in ast.walk(tree):
        if not isinstance(node, (ast.Expr, ast.Assign)):
            continue
        names = {name for one in _calls_in(node) for name in _names_of(one)}
        assigned = _assigned(node) if isinstance(node, ast.Assign) else set()
        others = names - imported
        if names & imported and (not app or not others or app in others | assigned):
            # `cors = CORS()`, and later `cors.init_app(app)`.
            imported |= assigned - {app}
            yield node


def _calls_in(node: ast.Expr | ast.Assign) -> Iterator[ast.Call]:
    return (one for one in ast.walk(node.value) if isinstance(one, ast.Call))


def _names_of(call: ast.Call) -> Iterator[str]:
    """Yield the names with which a call and its arguments begin."""
    for node in (call.func, *call.args):
        while isinstance(node, ast.Attribute):
            node = node.value  # noqa: PLW2901
        if isinstance(node, ast.Name):
            yield node.id


def _settings(tree: ast.AST, library: str, names: frozenset[str]) -> Iterator[Any]:
    """Yield assignments of settings, and items of lists that name django-cors-headers."""
    for node in ast.walk(tree):
        if not isinstance(node, ast.Assign):
            continue
        assigned = _assigned(node)
        if assigned & names:
            yield node
        if library == DJANGO and assigned & set(_DJANGO_LISTS):
            for item in ast.walk(node.value):
                if isinstance(item, ast.Constant) and str(item.value).startswith("corsheaders"):
                    yield item


def _assigned(node: ast.Assign) -> set[str]:
    return {target.id for target in node.targets if isinstance(target, ast.Name)}
