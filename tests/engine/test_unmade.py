"""Compiled objects made without ``__init__``: using one raises, and never ends the process."""

from __future__ import annotations

import subprocess
import sys

import pytest

from corscore._engine import matcher

CODE = """
from corscore import Policy
from corscore._engine import {module}_c as module

policy = Policy(allow_origins=["https://a.example", "https://*.b.example"])
headers = [(b"origin", b"https://x.b.example")]
scope = {{"type": "http", "method": "GET", "path": "/", "headers": headers}}
environ = {{"REQUEST_METHOD": "GET", "HTTP_ORIGIN": "https://x.b.example"}}
start = {{"type": "http.response.start", "status": 200, "headers": []}}


def responder(matcher):
    from corscore._engine.responder_c import Responder

    kinds = ("not-cors", "actual-allowed", "actual-refused")
    names = (*kinds, *map("blocked-{{}}".format, kinds), "preflight-allowed", "preflight-refused")
    return Responder(
        matcher,
        None,
        dict.fromkeys(names, policy._responder.not_cors),
        any_origin=False,
        credentials=False,
        has_resolver=False,
        is_debug=False,
        late_answer=None,
        debug_answer=None,
    )


unmade = module.{name}.__new__(module.{name})
calls = [
{calls}
]
for call in calls:
    try:
        call()
    except (AttributeError, TypeError):
        continue
    raise SystemExit("one of them did not raise")
"""

CALLS = {
    ("gateway", "Gateway"): [
        "unmade.sender(scope, print)",
        "unmade.starter(environ, print)",
        "unmade.policy_for(scope, True)",
        "unmade.policy_for(environ, False)",
        "unmade.sender_for(None, None, scope, print, False)",
        'unmade.answer(policy, None, scope, "GET", b"https://c.example", False, None, False)',
        'unmade.answer_to(policy, None, environ, environ, "https://c.example", False)',
    ],
    ("gateway", "Sender"): ["unmade.send(start)", 'unmade.send({"type": "other"})'],
    ("gateway", "LateSender"): ["unmade.send(start)", 'unmade.send({"type": "other"})'],
    ("gateway", "Starter"): ['unmade("200 OK", [])', 'unmade("200 OK", [], (None, None, None))'],
    ("responder", "Responder"): [
        'unmade.allows("https://a.example")',
        'unmade.answer(b"https://a.example", False, None, None)',
        'unmade.answer(b"https://a.example", True, None, None)',
        "policy._responder.blocked(unmade.answer(None, False, None, None)).status",
    ],
    ("answer", "Answer"): [
        "unmade.raw(None)",
        "unmade.apply_raw([])",
        'unmade.apply_raw([(b"vary", b"x")], b"https://a.example")',
        "unmade.apply([])",
        'unmade.apply([("vary", "x")], "https://a.example")',
        "unmade.update({})",
    ],
    ("paths", "PathTable"): [
        'unmade.find("/")',
        'unmade.find("/a/../b")',
        'unmade.find_scope({"path": "/"})',
        "unmade.find_environ({})",
    ],
    ("matcher", "Matcher"): [
        # Only a responder calls it.
        "responder(unmade).allows(b'https://x.b.example')",
    ],
}


@pytest.mark.skipif(matcher.IMPLEMENTATION != "cython", reason="nothing is compiled here")
@pytest.mark.parametrize(("module", "name"), CALLS)
def test_objects_made_without_init_raise(module: str, name: str) -> None:
    calls = "\n".join(f"    lambda: {call}," for call in CALLS[module, name])
    done = subprocess.run(
        [sys.executable, "-c", CODE.format(module=module, name=name, calls=calls)],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
