"""``corscore diff``: who gains and who loses access, by the meaning of the policies."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cli_runs import run, run_json
from corscore import Policy, PolicyMap, RequestInfo
from corscore.diagnostics import AccessChange, access_changes
from corscore.testing.strategies import policies

APP, API = "https://app.example.com", "https://api.example.com"


def told(old: Any, new: Any) -> list[str]:
    """Return the changes in short: ``"+origin https://app.example.com"``."""
    signs = {"gains": "+", "loses": "-", "changes": "~"}
    return [
        f"{'' if one.path is None else one.path + ' '}{signs[one.way]}{one.kind} {one.item}"
        for one in access_changes(old, new)
    ]


ROWS: list[tuple[dict[str, Any], dict[str, Any], list[str]]] = [
    ({}, {}, []),
    ({}, {"allow_origins": [API]}, [f"+origin {API}", f"-origin {APP}"]),
    ({}, {"allow_origins": [APP, API]}, [f"+origin {API}"]),
    ({}, {"allow_origins": ["https://*.example.com"]}, ["+origin https://*.example.com"]),
    ({"allow_origins": ["https://*.example.com"]}, {}, ["-origin https://*.example.com"]),
    ({"allow_origins": ["*"]}, {}, ["-origin *"]),
    ({}, {"allow_origins": ["*"]}, ["+origin *"]),
    (
        {"allow_null_origin": True},
        {"allow_origins": ["*"]},
        [
            "+origin *",
        ],
    ),
    ({}, {"allow_null_origin": True}, ["+origin null"]),
    (
        {},
        {"allow_origins": [API], "allow_origin_regex": r"https://app\..*"},
        [f"+origin {API}", "+origin regex 'https://app\\\\..*'"],
    ),
    ({}, {"allow_methods": ["PUT", "GET"]}, ["+method PUT"]),
    ({"allow_methods": ["PUT"]}, {"allow_methods": ["*"]}, ["+method *"]),
    ({"allow_methods": ["*"]}, {"allow_methods": ["PUT"]}, ["-method *"]),
    ({}, {"allow_headers": ["X-One", "Accept"]}, ["+request-header x-one"]),
    ({"expose_headers": ["X-Total"]}, {"expose_headers": ["x-total"]}, []),
    ({"expose_headers": ["X-Total"]}, {}, ["-response-header x-total"]),
    ({}, {"allow_credentials": True}, ["+credentials allow_credentials"]),
    ({}, {"max_age": None}, ["~option max_age"]),
    ({}, {"preflight_status": 200, "debug": True}, ["~option preflight_status", "~option debug"]),
]


@pytest.mark.parametrize(("old", "new", "expected"), ROWS, ids=str)
def test_changes_between_two_policies_are_listed(
    old: dict[str, Any], new: dict[str, Any], expected: list[str]
) -> None:
    base = {"allow_origins": [APP]}
    assert told(Policy(**{**base, **old}), Policy(**{**base, **new})) == expected


def test_policies_by_path_are_compared_path_by_path() -> None:
    one, other = Policy(allow_origins=[APP]), Policy(allow_origins=[API])
    assert told(PolicyMap({"/api/*": one}), PolicyMap({"/api/*": other})) == [
        f"/api/* +origin {API}",
        f"/api/* -origin {APP}",
    ]
    # A longer prefix of the same policy changes nothing.
    assert told(PolicyMap({"/api/*": one}), PolicyMap({"/api/*": one, "/api/v1/*": one})) == []
    assert told(PolicyMap({"/api/*": one}), PolicyMap({})) == [
        "/api/* -path /api/*",
        f"/api/* -origin {APP}",
    ]
    assert told(PolicyMap({"/x": None}, default=one), one) == [
        "/x +path /x",
        f"/x +origin {APP}",
    ]
    assert told(one, PolicyMap({}, default=other)) == [
        f"default +origin {API}",
        f"default -origin {APP}",
    ]


@given(policies(), policies(), st.sampled_from(["GET", "PUT", "patch"]))
def test_policies_without_changes_decide_alike(old: Policy, new: Policy, method: str) -> None:
    changed = [one for one in access_changes(old, new) if one.way != "changes"]
    origins = {*old.allow_origins, *new.allow_origins, "https://stranger.example", "null"}
    if changed or any(one.origin_resolver for one in (old, new)):
        return
    for origin in origins:
        request = RequestInfo("OPTIONS", origin=origin, request_method=method)
        assert old.decide(request).allowed == new.decide(request).allowed


@given(policies(), policies())
def test_swapping_old_and_new_swaps_gains_and_losses(old: Policy, new: Policy) -> None:
    turned = {"gains": "loses", "loses": "gains", "changes": "changes"}
    there = {(one.kind, one.item, one.way) for one in access_changes(old, new)}
    back = {(one.kind, one.item, turned[one.way]) for one in access_changes(new, old)}
    assert there == back
    assert access_changes(old, old) == ()


# --- the command


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    Path("old.toml").write_text(f'allow_origins = ["{APP}", "{API}"]\nmax_age = 60\n')
    Path("new.toml").write_text(
        'allow_origins = ["https://app.example.com"]\nallow_methods = ["PUT"]\n'
    )
    Path("bad.toml").write_text('allow_origins = ["https://app.example.com/"]\n')
    Path("main.py").write_text(
        "from corscore import Policy, PolicyMap\n"
        f"policy = Policy(allow_origins=['{APP}'])\npolicies = PolicyMap({{'/api/*': policy}})\n"
    )
    return tmp_path


def test_the_text_lists_changes_and_counts_them() -> None:
    result = run("diff", "old.toml", "new.toml")
    assert result.exit_code == 1
    assert result.stdout == (
        "+ method PUT\n"
        f"- origin {API}\n"
        "~ option max_age: 60 -> 600\n"
        "\n"
        "1 gained, 1 lost, 1 changed otherwise\n"
    )


def test_the_text_groups_changes_by_path() -> None:
    result = run("diff", "main:policies", "main:policy")
    assert result.exit_code == 1
    assert result.stdout == (
        f"default\n  + path default\n  + origin {APP}\n\n2 gained, 0 lost, 0 changed otherwise\n"
    )


def test_no_difference_is_one_sentence_and_ends_with_0() -> None:
    result = run("diff", "old.toml", "old.toml")
    assert (result.exit_code, result.stdout) == (
        0,
        "No difference: no origin gains or loses access.\n",
    )
    assert run_json("diff", "old.toml", "old.toml", exit_code=0) == {"changes": []}


def test_the_json_has_every_change() -> None:
    said = run_json("diff", "old.toml", "new.toml", exit_code=1)
    assert said["changes"][1:] == [
        AccessChange("origin", "loses", API).to_dict(),
        AccessChange("option", "changes", "max_age", None, "60", "600").to_dict(),
    ]


def test_a_target_with_problems_is_a_mistake() -> None:
    result = run("diff", "old.toml", "bad.toml")
    assert (result.exit_code, result.stdout) == (2, "")
    assert result.stderr.startswith("Error: bad.toml has 1 problem")


def test_paths_that_an_app_gains_or_loses_are_changes() -> None:
    Path("main.py").write_text(
        "from flask import Flask\nfrom flask_cors import CORS\n"
        "part, whole = Flask('x'), Flask('y')\n"
        "CORS(part, resources={r'/api/*': {'origins': ['https://app.example.com']}})\n"
        "CORS(whole, origins=['https://app.example.com'])\n"
    )
    (path, *_) = run_json("diff", "main:part", "main:whole", exit_code=1)["changes"]
    assert (path["way"], path["kind"]) == ("gains", "path")
    (path, *_) = run_json("diff", "main:whole", "main:part", exit_code=1)["changes"]
    assert (path["way"], path["kind"]) == ("loses", "path")
