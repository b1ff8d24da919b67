"""``governing``: which policy of a map, a host or a tuple governs, and why no other one does."""

from __future__ import annotations

from typing import Any

import pytest

from corscore import Policy, PolicyMap, PolicyResolver, RequestInfo
from corscore.diagnostics import governing, lint
from corscore.integration import NO_ORIGIN

PAGE = "https://www.example.com"
OWN = Policy(allow_origins=[PAGE], allow_credentials=True)
PUBLIC = Policy(allow_origins=["*"])
TENANT = PolicyResolver(lambda host: OWN)
MAP = PolicyMap(
    {
        "api.example.com/*": (OWN, PUBLIC),
        "api.example.com/own": OWN,
        "*.example.com/api/*": PUBLIC,
        "tenants.example/*": TENANT,
        "/open/*": PUBLIC,
        "/internal/*": None,
    }
)
OTHER = "https://other.example"


@pytest.mark.parametrize(
    ("path", "host", "origin", "policy", "place", "notes"),
    [
        ("/x", "api.example.com", PAGE, OWN, "api.example.com/*, policy 1 of 2", ()),
        (
            "/x",
            "API.example.com:443",
            OTHER,
            PUBLIC,
            "api.example.com/*, policy 2 of 2",
            ('policy 1 of 2 does not allow "https://other.example"',),
        ),
        (
            "/x",
            "api.example.com",
            None,
            PUBLIC,
            "api.example.com/*, policy 2 of 2",
            ("policy 1 of 2 does not allow a request without an Origin",),
        ),
        ("/own", "api.example.com", None, OWN, "api.example.com/own", ()),
        ("/api/x", "a.b.example.com", None, PUBLIC, "*.example.com/api/*", ()),
        (
            "/open/x",
            "www.example.com",
            None,
            PUBLIC,
            "/open/*",
            ('no key of *.example.com covers "/open/x"',),
        ),
        (
            "/open/x",
            "other.example",
            None,
            PUBLIC,
            "/open/*",
            ('no key has a host for "other.example"',),
        ),
        (
            "/internal/x",
            None,
            None,
            None,
            "/internal/*",
            ("no key has a host for a request without a host",),
        ),
        ("/x", None, None, None, "default", ("no key has a host for a request without a host",)),
        (
            "/open/../internal/x",
            "other.example",
            None,
            NO_ORIGIN,
            None,
            (
                'no key has a host for "other.example"',
                "the path and what a file server makes of it have different policies",
            ),
        ),
        (
            "/x",
            "tenants.example",
            None,
            None,
            "tenants.example/*",
            ("a PolicyResolver gives each tenant a policy",),
        ),
    ],
)
def test_the_governing_policy_has_its_place_and_notes(
    path: str,
    host: str | None,
    origin: str | None,
    policy: Policy | None,
    place: str | None,
    notes: tuple[str, ...],
) -> None:
    found = governing(MAP, path, host=host, origin=origin)
    assert (found.policy, found.place, found.notes) == (policy, place, notes)


def test_the_governing_policy_without_a_map_has_no_key() -> None:
    assert governing(OWN) == governing(OWN, "/x", host="a.example", origin=PAGE)
    assert governing((OWN, PUBLIC), origin=PAGE).place == "policy 1 of 2"
    assert governing((PUBLIC,)).place is None
    assert governing(None).policy is None


def test_a_decision_names_its_policy() -> None:
    decision = OWN.decide(RequestInfo("GET", origin=PAGE))
    assert decision.policy is OWN


@pytest.mark.parametrize(
    ("policies", "places"),
    [
        (PolicyMap({"a.example/*": OWN}, default=PUBLIC), ["default: allow_origins"]),
        (
            PolicyMap({"a.example/*": OWN, "/*": (OWN.__class__(allow_origins=[PAGE]), PUBLIC)}),
            ["/*: allow_origins"],
        ),
        (PolicyMap({"a.example/*": PUBLIC, "/open/*": PUBLIC}), []),
        (PolicyMap({"/api/*": OWN}, default=PUBLIC), []),
        (MAP, []),
        ((OWN, PUBLIC), []),
        (TENANT, []),
    ],
)
def test_any_origin_on_any_host_is_a_finding(policies: Any, places: list[str]) -> None:
    found = [one for one in lint(policies) if one.code == "default-allows-any-origin"]
    assert [one.place for one in found] == places
