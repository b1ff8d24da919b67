"""Policies as Python that people paste: one option a line, double quotes."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

from corscore import ConfigError, PolicyMap
from corscore_cli.targets.samples import sample

if TYPE_CHECKING:
    from corscore import Policy

_WIDTH = 88


def policy_source(policy: Policy, indent: str = "") -> str:
    """``Policy(...)`` over several lines, which rebuilds the policy.

    Args:
        policy: The policy.
        indent: What its first line is indented by, where it stands.
    """
    call = ast.parse(repr(policy), mode="eval").body
    if not isinstance(call, ast.Call):
        return repr(policy)
    lines = [
        f"{indent}    {keyword.arg}={_value(keyword.value, f'{indent}    ')},"
        for keyword in call.keywords
    ]
    return "\n".join(["Policy(", *lines, f"{indent})"])


def _value(node: ast.expr, indent: str) -> str:
    if not isinstance(node, ast.List):
        return _literal(node)
    items = [_literal(item) for item in node.elts]
    line = f"[{', '.join(items)}]"
    if len(line) <= _WIDTH - len(indent):
        return line
    return "\n".join(["[", *(f"{indent}    {item}," for item in items), f"{indent}]"])


def _literal(node: ast.expr) -> str:
    """A value with the quotes that most people write."""
    value = node.value if isinstance(node, ast.Constant) else None
    if not isinstance(value, str) or not value.isprintable() or '"' in value:
        return ast.unparse(node)
    if "\\" in value:
        return ast.unparse(node) if value.endswith("\\") else f'r"{value}"'
    return f'"{value}"'


_INSTALLS = {
    "starlette": ("from corscore_starlette import install", "install(app, {})"),
    "flask-cors": ("from corscore_flask import CORS", "CORS(app, {})"),
}
_DJANGO = """\
# settings.py, in the place of the CORS_* settings that it replaces
{imports}

MIDDLEWARE = [
    "corscore_django.middleware.CorsMiddleware",  # first, in the place of corsheaders
    # ...
]

CORS_POLICY = {policy}
"""


def adapter_source(library: str, policies: list[tuple[str, Policy | None]]) -> str:
    """The Python that takes the place of another library's.

    Args:
        library: ``"starlette"``, ``"flask-cors"`` or ``"django-cors-headers"``.
        policies: By path, as that library writes it; empty for every path. None where nobody is
            allowed anything.
    """
    by_path = {map_key(path) or path_key(path): policy for path, policy in policies}
    if not any(by_path.values()):
        return "# It allows no origin at all. Leave it out, or list the origins that are yours.\n"
    is_map = list(by_path) != [""] and library in _INSTALLS
    only = next(policy for policy in by_path.values() if policy is not None)
    body = _map_source(by_path) if is_map else policy_source(only)
    names = "Policy, PolicyMap" if is_map else "Policy"
    imports = ["from corscore import " + names]
    if library not in _INSTALLS:
        text = "\n".join(_with_re(imports, body))
        return _DJANGO.format(imports=text, policy=body) + _urls(policies)
    install, call = _INSTALLS[library]
    regexes = [path for path, _ in policies if is_map and map_key(path) != path_key(path)]
    lines = [
        *_with_re([*imports, install], body),
        "",
        *(f"# {path!a} is a regex; a map takes paths: a line for each." for path in regexes),
        f"policy = {body}",
        call.format("policy"),
        "",
    ]
    return "\n".join(lines)


def _urls(policies: list[tuple[str, Policy | None]]) -> str:
    path = policies[0][0]
    return f"# CORS_URLS_REGEX stays; it has to match the whole path: {path}\n" if path else ""


def _with_re(imports: list[str], body: str) -> list[str]:
    return ["import re", "", *imports] if "re.compile(" in body else imports


def path_key(path: str) -> str:
    """A path of flask-cors, as a ``PolicyMap`` has it; empty for every path."""
    plain = path.removeprefix("^").removesuffix("$")
    if not plain:
        return ""
    for ending in ("/.*", "/*", ".*", "*"):
        if plain.endswith(ending):
            return f"{plain.removesuffix(ending).rstrip('/')}/*"
    return plain


def map_key(path: str) -> str | None:
    """A key that a ``PolicyMap`` takes for a path of flask-cors.

    For a regex it is of one path that the regex matches; None where none is found.
    """
    key = path_key(path)
    tail = "/*" if key.endswith("/*") else ""
    literal = sample(key.removesuffix("/*")) if key else ""
    for one in (key, f"{literal}{tail}"):
        try:
            PolicyMap({one: None} if one else {})
        except ConfigError:
            continue
        return one
    return None


def _map_source(by_path: dict[str, Policy | None]) -> str:
    lines = []
    default = "None"
    for path, policy in by_path.items():
        source = "None" if policy is None else policy_source(policy, "        ")
        if path:
            lines.append(f'        "{path}": {source},')
        else:
            default = source.replace("\n    ", "\n")
    return "\n".join(
        [
            "PolicyMap(",
            "    {",
            *lines,
            "    },",
            *([f"    default={default},"] if default != "None" else []),
            ")",
        ]
    )
