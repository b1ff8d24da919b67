"""The playground's questions to the engine. Runs in the visitor's browser; answers are JSON."""

from __future__ import annotations

import ast
import json
from typing import Any

try:
    import tomllib
except ImportError:  # Python 3.10
    import tomli as tomllib

from corscore import ConfigError, Policy
from corscore.browser import Request, fetch
from corscore.diagnostics import HarError, explain_fetch, explain_har, lint, read_har

Part = dict[str, Any]

# What pages commonly do: the text, the method, headers and credentials.
ROWS = (
    ("read", "GET", {}, False),
    ("read with cookies", "GET", {}, True),
    ("read with a token", "GET", {"Authorization": "Bearer x"}, False),
    ("post a form", "POST", {"Content-Type": "application/x-www-form-urlencoded"}, False),
    ("post JSON", "POST", {"Content-Type": "application/json"}, False),
    ("PUT", "PUT", {}, False),
    ("PATCH", "PATCH", {}, False),
    ("DELETE", "DELETE", {}, False),
    ("PUT with cookies", "PUT", {}, True),
)


def answer(text: str) -> str:
    """Answer what one tab asks, whatever was typed."""
    state = json.loads(text)
    try:
        parts = why(state) if state["tab"] == "why" else allowed(state)
    except (ValueError, SyntaxError, TypeError) as error:
        parts = [_verdict(f"This cannot be read: {error}", good=False)]
    return json.dumps(parts)


def why(state: dict[str, Any]) -> list[Part]:
    """Explain one fetch, from what the network panel shows."""
    request = Request(
        state["method"],
        state["url"],
        origin=state["origin"].strip(),
        headers=_headers(state["headers"]),
        credentials="include" if state["credentials"] else "same-origin",
    )
    response = _headers(state["response"])
    preflight = _headers(state["preflight"]) or response

    def transport(method: str, *_: object) -> tuple[int, list[tuple[str, str]]]:
        if method == "OPTIONS" and request.method != "OPTIONS":
            return 204, preflight
        return int(state["status"]), response

    return _explained(explain_fetch(fetch(request, transport)))


def explain_recording(data: Any) -> str:
    """Explain each request of a HAR file."""
    content = bytes(data.to_py() if hasattr(data, "to_py") else data)
    try:
        report = explain_har(read_har(content))
    except HarError as error:
        return json.dumps([_verdict(f"This is no HAR file that can be read: {error}", good=False)])
    found = report.to_dict()["requests"]
    refused = sum(not one["readable"] for one in found)
    parts = [
        _verdict(f"{len(found)} requests to other origins, {refused} refused", good=not refused)
    ]
    for one in found:
        parts.append({"kind": "heading", "text": f"{one['method']} {one['url']}"})
        parts += _verdict_parts(one["readable"], one["reason"], one["message"], one["hint"])
        for finding in one["findings"]:
            parts.append({"kind": "text", "text": f"{finding['message']} Fix: {finding['hint']}"})
            parts.append({"kind": "code", "code": finding["code"]})
    return json.dumps(parts)


def allowed(state: dict[str, Any]) -> list[Part]:
    """Check options, and say what a browser may do under them."""
    try:
        policy = _policy(state["format"], state["options"])
    except ConfigError as error:
        count = len(error.problems)
        head = "1 problem" if count == 1 else f"{count} problems"
        parts = [_verdict(f"{head}: no server would start with this", good=False)]
        for problem in error.problems:
            parts.append({"kind": "text", "text": f"{problem.field}: {problem.message}"})
            parts.append({"kind": "text", "text": f"Fix: {problem.hint}"})
            parts.append({"kind": "code", "code": problem.code})
        return parts
    origin = state["from"].strip()
    table = [["A page wants to", "may it?", "why not"]]
    for text, method, headers, credentials in ROWS:
        request = Request(
            method,
            "https://api.example.com/",
            origin=origin,
            headers=headers,
            credentials="include" if credentials else "same-origin",
        )
        explanation = policy.explain(request)
        row = [text, "yes", ""] if explanation.allowed else [text, "no", explanation.message]
        table.append(row)
    parts = [_verdict("The policy is sound", good=True)]
    for finding in lint(policy):
        parts.append({"kind": "text", "text": f"Finding: {finding.message} Fix: {finding.hint}"})
        parts.append({"kind": "code", "code": finding.code})
    parts += [{"kind": "heading", "text": f"A page of {origin}"}, {"kind": "table", "rows": table}]
    for name, written in spelled(policy).items():
        parts += [{"kind": "heading", "text": name}, {"kind": "block", "text": written}]
    return parts


def spelled(policy: Policy) -> dict[str, str]:
    """Return the policy as each framework's users write it."""
    spellings = json.loads(SPELLINGS_JSON)  # noqa: F821 - set by the page
    values = policy.to_mapping()
    lines: dict[str, list[str]] = {"starlette": [], "flask": [], "django": []}
    for option, row in spellings.items():
        value = values.get(option, row["default"])
        # As a file has it; the frameworks have Python's.
        value = None if option == "max_age" and value == "none" else value
        for framework, found in lines.items():
            if value != row[framework]["default"]:
                found.append(_written(framework, row[framework]["name"], option, value))
    return {
        "FastAPI and Starlette": _call("install", lines["starlette"]),
        "Flask": _call("CORS", lines["flask"]),
        "Django": "\n".join(lines["django"]),
        "TOML": "\n".join(f"{name} = {json.dumps(value)}" for name, value in values.items()),
        "environment": "\n".join(_variable(name, value) for name, value in values.items()),
    }


def _written(framework: str, name: str, option: str, value: object) -> str:
    if framework != "django":
        return f"    {name}={value!r},"
    if option == "allow_origins" and value == ["*"]:
        return "CORS_ALLOW_ALL_ORIGINS = True"
    return f"{name} = {[value] if option == 'allow_origin_regex' else value!r}"


def _call(function: str, lines: list[str]) -> str:
    return "\n".join([f"{function}(", "    app,", *lines, ")"])


def _variable(name: str, value: object) -> str:
    text = ",".join(value) if isinstance(value, list) else str(value).lower()
    if name == "allow_origin_regex":
        text = str(value)
    return f"CORS_{name.upper()}={text}"


def _policy(form: str, text: str) -> Policy:
    if form == "toml":
        return Policy.from_mapping(tomllib.loads(text))
    if form == "environment":
        lines = (line.partition("=") for line in text.splitlines() if "=" in line)
        return Policy.from_env(
            environ={
                name.strip().removeprefix("export "): value.strip() for name, _, value in lines
            }
        )
    text = text.strip()
    if not text.startswith("Policy("):
        text = f"Policy({text})"
    call = ast.parse(text, mode="eval").body
    if not isinstance(call, ast.Call) or call.args or None in [one.arg for one in call.keywords]:
        raise ValueError('write options as in allow_origins=["https://app.example.com"]')
    return Policy(**{str(one.arg): ast.literal_eval(one.value) for one in call.keywords})


def _headers(text: str) -> list[tuple[str, str]]:
    """Read lines of a network panel: `Name: value`; others are left out."""
    found = []
    for line in text.splitlines():
        name, colon, value = line.strip().partition(":")
        if colon and name and " " not in name:
            found.append((name, value.strip()))
    return found


def _explained(explanation: Any) -> list[Part]:
    found = explanation.to_dict()
    parts = _verdict_parts(found["allowed"], found["reason"], found["message"], found["hint"])
    parts += [
        {"kind": "heading", "text": "What a browser does"},
        {
            "kind": "steps",
            "rows": [{"ok": one["ok"], "text": one["text"]} for one in found["steps"]],
        },
    ]
    if found["console"]:
        parts.append({"kind": "heading", "text": "What the console says"})
        parts += [
            {"kind": "block", "text": f"{name.capitalize()}: {text}"}
            for name, text in found["console"].items()
        ]
    return parts


def _verdict_parts(good: object, reason: str | None, message: str, hint: str | None) -> list[Part]:
    parts = [_verdict("Readable" if good else f"Blocked: {reason}", good=bool(good))]
    parts.append({"kind": "text", "text": message})
    if hint:
        parts.append({"kind": "text", "text": f"Fix: {hint}"})
    if reason:
        parts.append({"kind": "code", "code": reason})
    return parts


def _verdict(text: str, *, good: bool) -> Part:
    return {"kind": "verdict", "text": text, "good": good}
