"""``Policy.decide(request, origin_allowed=...)``: a verdict on the origin from outside."""

from __future__ import annotations

from typing import Any

import pytest

from cors_headers import OTHER_PAGE, PAGE, READABLE, REFUSED, cors_of
from corscore import Policy, RequestInfo

POLICY: dict[str, Any] = {"allow_origins": [PAGE], "allow_methods": ["PUT"], "debug": True}
NO_ORIGINS = ["null", "", " ", f"{PAGE}/", f"{PAGE}, {PAGE}", "https://app.example:443", "\x00"]
NO_ORIGINS += ["https://\xe9.example", "HTTPS://APP.EXAMPLE", "a" * 5000, "\ud800"]


def actual(origin: str) -> RequestInfo:
    return RequestInfo("GET", origin=origin)


def preflight(origin: str) -> RequestInfo:
    return RequestInfo("OPTIONS", origin=origin, request_method="PUT")


@pytest.mark.parametrize("origin", [PAGE, OTHER_PAGE])
def test_the_verdict_counts_more_than_the_list(build: str, origin: str) -> None:
    policy = Policy(**POLICY)
    allowed = policy.decide(actual(origin), origin_allowed=True)
    refused = policy.decide(actual(origin), origin_allowed=False)
    assert (allowed.allowed, allowed.origin_allowed, allowed.reason) == (True, True, None)
    assert cors_of(allowed.headers) == {**READABLE, "access-control-allow-origin": [origin]}
    assert (refused.allowed, refused.reason) == (False, "origin-not-allowed")
    assert cors_of(refused.headers) == REFUSED
    # Without a verdict the list counts.
    assert policy.decide(actual(origin)).allowed == (origin == PAGE)


@pytest.mark.parametrize("origin", [PAGE, OTHER_PAGE])
def test_a_verdict_decides_on_preflights(build: str, origin: str) -> None:
    policy = Policy(**POLICY)
    allowed = policy.decide(preflight(origin), origin_allowed=True)
    refused = policy.decide(preflight(origin), origin_allowed=False)
    assert (allowed.status, allowed.reason) == (204, None)
    assert (refused.status, refused.reason) == (403, "origin-not-allowed")
    assert refused.body == b"The request's Origin is not one that the policy allows."
    asked = RequestInfo("OPTIONS", origin=origin, request_method="DELETE")
    assert policy.decide(asked, origin_allowed=True).reason == "method-not-allowed"


@pytest.mark.parametrize("origin", NO_ORIGINS, ids=ascii)
def test_no_verdict_allows_what_is_no_origin(build: str, origin: str) -> None:
    policy = Policy(**POLICY)
    for request in (actual(origin), preflight(origin)):
        decision = policy.decide(request, origin_allowed=True)
        assert cors_of(decision.headers) == REFUSED
        assert not decision.allowed


def test_no_verdict_allows_null_where_the_policy_does(build: str) -> None:
    policy = Policy(allow_null_origin=True)
    assert policy.decide(actual("null")).allowed
    assert not policy.decide(actual("null"), origin_allowed=True).allowed


@pytest.mark.parametrize("verdict", [None, True, False])
@pytest.mark.parametrize("origin", [None, PAGE, "null", "no origin"])
def test_where_every_origin_is_allowed_no_verdict_counts(
    build: str, origin: str | None, verdict: bool | None
) -> None:
    everyone = Policy(allow_origins=["*"])
    decision = everyone.decide(RequestInfo("GET", origin=origin), origin_allowed=verdict)
    assert cors_of(decision.headers) == {"access-control-allow-origin": ["*"]}
    assert decision.allowed


@pytest.mark.parametrize("verdict", [None, True, False])
def test_a_request_without_an_origin_ignores_the_verdict(build: str, verdict: bool | None) -> None:
    decision = Policy(**POLICY).decide(RequestInfo("GET"), origin_allowed=verdict)
    assert (decision.kind, cors_of(decision.headers)) == ("not-cors", REFUSED)


def test_a_verdict_on_a_question_that_is_repeated(build: str) -> None:
    options: dict[str, Any] = {"allow_methods": ["*"], "allow_credentials": True}
    policy = Policy(allow_origins=[PAGE], **options)
    decision = policy.decide(preflight(OTHER_PAGE), origin_allowed=True)
    headers = cors_of(decision.headers)
    assert headers["access-control-allow-origin"] == [OTHER_PAGE]
    assert headers["access-control-allow-methods"] == ["PUT"]
