"""``block_cross_site``: which requests of other sites reach the application, in both adapters."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from corscore import Policy, RequestInfo
from corscore.browser import Request, fetch, needs_preflight
from corscore.integration._cross_site import host_note, is_from_own_origin
from corscore.testing.conformance import asgi_sender, wsgi_sender
from corscore.testing.conformance._oracle import SERVER
from corscore.testing.conformance._site import transport_of
from corscore.testing.conformance._strategies import options, origins
from corscore_asgi import CORSMiddleware as ASGIMiddleware
from corscore_wsgi import CORSMiddleware as WSGIMiddleware
from tables import cases
from ways import IN_EVERY_WAY, as_it_is, of_a_tenant

if TYPE_CHECKING:
    from collections.abc import Callable

    from corscore.integration import Policies
    from corscore.testing.conformance._site import Headers, Transport

HOST = "shop.example"
PARTNER = "https://partner.example"
REACHED = 202


async def asgi_app(scope: Any, receive: Any, send: Any) -> None:
    await send({"type": "http.response.start", "status": REACHED, "headers": []})
    await send({"type": "http.response.body"})


def wsgi_app(environ: Any, start_response: Any) -> list[bytes]:
    start_response("202 Accepted", [])
    return []


def through_asgi(policy: Policies, **more: Any) -> Transport:
    return transport_of(
        asgi_sender(ASGIMiddleware(asgi_app, policy, block_cross_site=True, **more))
    )


def through_wsgi(policy: Policies, **more: Any) -> Transport:
    return transport_of(
        wsgi_sender(WSGIMiddleware(wsgi_app, policy, block_cross_site=True, **more))
    )


THROUGH = pytest.mark.parametrize("through", [through_asgi, through_wsgi])


@THROUGH
@IN_EVERY_WAY
@pytest.mark.parametrize("case", cases("cross_site"))
def test_a_request_passes_or_is_blocked_as_the_table_says(
    through: Callable[..., Transport], way: Callable[[Policy], Policies], case: dict[str, Any]
) -> None:
    if case.get("any"):
        policy = Policy(allow_origins=["*"])
    else:
        credentials = case.get("credentials", True)
        policy = Policy(allow_origins=[PARTNER], allow_credentials=credentials)
    more = dict(case.get("headers", {}))
    host = more.pop("Host", HOST)
    sent = {"Origin": case["origin"], "Sec-Fetch-Site": case["site"], **more}
    headers = [(name, value) for name, value in sent.items() if value is not None]
    send = through(way(policy), own_origins=["https://www.shop.example"])
    status, received = send(case["method"], f"https://{host}/", headers)
    assert status == (REACHED if case["passes"] else 403)
    # The answers of a tuple depend on the origin, even with "*".
    is_same_for_all = case.get("any", False) and way in (as_it_is, of_a_tenant)
    assert any(name.lower() == "vary" for name, _ in received) is not is_same_for_all


# --- laws

# Requests without a script have these headers only, and those that scripts cannot set.
TYPES_WITHOUT_PREFLIGHT = [
    None,
    "application/x-www-form-urlencoded",
    "multipart/form-data; boundary=x",
    "text/plain",
    "text/plain;charset=UTF-8",
    "TEXT/plain; a, application/json",
    "text/plain;, application/json",
]
OTHER_TYPES = ["application/json", "application/vnd.api+json; a=b", "text/xml", "image/png"]
UNPROVEN_TYPES = ["", "json", "application/json, application/json", 'text/plain; a="b"']
SITES = [None, "cross-site", "same-site"]


def from_a_browser(send: Transport, site: str | None) -> Transport:
    """Return a request with the Sec-Fetch headers of a browser; old ones have none."""
    more: Headers = [] if site is None else [("Sec-Fetch-Site", site)]
    return lambda method, url, headers: send(method, url, [*headers, *more])


@st.composite
def fetches(draw: st.DrawFn, chosen: dict[str, Any], methods: list[str]) -> Request:
    """Draw a request that a page of another site makes with ``fetch``."""
    types = TYPES_WITHOUT_PREFLIGHT + OTHER_TYPES + UNPROVEN_TYPES
    headers = {
        "Content-Type": draw(st.sampled_from(types)),
        "Authorization": draw(st.sampled_from([None, None, "Bearer a", "bearer b", "Basic YTpi"])),
        "X-One": draw(st.sampled_from([None, None, "1"])),
    }
    return Request(
        draw(st.sampled_from(methods)),
        f"{SERVER}/",
        origin=draw(
            origins(chosen).filter(
                lambda origin: origin.rpartition("://")[2] != SERVER.rpartition("://")[2]
            )
        ),
        headers=[(name, value) for name, value in headers.items() if value is not None],
        credentials=draw(st.sampled_from(["omit", "same-origin", "include"])),
        cookie=draw(st.sampled_from([None, "session=1"])),
    )


@THROUGH
@given(data=st.data(), chosen=options(), site=st.sampled_from(SITES))
def test_a_post_without_a_preflight_is_blocked_unless_credentials_are_allowed(
    through: Callable[..., Transport], data: Any, chosen: Any, site: str | None
) -> None:
    policy = Policy(**chosen)
    request = data.draw(fetches(chosen, ["POST"]).filter(lambda it: not needs_preflight(it)))
    result = fetch(request, from_a_browser(through(policy), site))
    assert len(result.exchanges) == 1
    trusted = policy.allow_credentials and policy.allows_origin(request.origin)
    assert result.exchanges[0].status == (REACHED if trusted else 403)


def shows_its_preflight(request: Request) -> bool:
    """Whether a server can tell by method, Content-Type or bearer token, as the page promises."""
    headers = dict(request.headers)
    return (
        request.method != "POST"
        or headers.get("content-type") in OTHER_TYPES
        or headers.get("authorization", "").lower().startswith("bearer ")
    )


@THROUGH
@given(data=st.data(), chosen=options(), site=st.sampled_from(SITES))
def test_an_allowed_preflight_is_followed_by_no_403(
    through: Callable[..., Transport], data: Any, chosen: Any, site: str | None
) -> None:
    policy = Policy(**chosen)
    methods = ["POST", *(name for name in policy.allow_methods if name != "*"), "PUT"]
    request = data.draw(fetches(chosen, methods).filter(needs_preflight))
    result = fetch(request, from_a_browser(through(policy), site))
    preflight, *rest = result.exchanges
    assert preflight.is_preflight
    if rest:
        shown = policy.allow_credentials or shows_its_preflight(request)
        assert rest[0].status == (REACHED if shown else 403)


@given(st.text(max_size=30) | st.text("texplain/;, \tapJSON", max_size=30))
def test_any_content_type_gets_an_answer(value: str) -> None:
    headers = [("Content-Type", value.encode("utf-8").decode("latin-1")), ("Origin", PARTNER)]
    send = through_asgi(Policy(allow_origins=[PARTNER]))
    assert send("POST", f"https://{HOST}/", headers)[0] in (REACHED, 403)


# --- refusals that a proxy may have caused


def request_of(method: str = "POST", /, **headers: str | None) -> RequestInfo:
    values = {"origin": f"https://{HOST}", "host": "10.0.0.7:8000", **headers}
    return RequestInfo.from_getter(method, lambda name: values.get(name.lower().replace("-", "_")))


@pytest.mark.parametrize(
    ("request_", "compared"),
    [
        (request_of(), "Host 10.0.0.7:8000:"),
        (request_of("PUT", host=None), "no Host:"),
        (request_of(host="a\n\x1b"), "Host a\\n\\x1b:"),
        (request_of("GET"), None),
        (request_of("OPTIONS", access_control_request_method="PUT"), None),
        (request_of(sec_fetch_site="cross-site"), None),
        (request_of(origin=None), None),
        (request_of(origin="null"), None),
        (request_of(origin="app://shop.example"), None),
        (request_of(origin="https://shop.example/"), None),
    ],
)
def test_a_note_names_the_host_where_a_proxy_may_have_rewritten_it(
    request_: RequestInfo, compared: str | None
) -> None:
    note = host_note(request_)
    assert bool(note) is (compared is not None)
    assert (compared or "") in note


def test_handshakes_have_the_note_too() -> None:
    assert "Host 10.0.0.7:8000:" in host_note(request_of("GET"), is_handshake=True)
    assert not host_note(request_of("GET", sec_fetch_site="same-site"), is_handshake=True)


@pytest.mark.parametrize(
    ("headers", "is_own"),
    [
        ({"host": HOST}, True),
        ({"host": HOST, "origin": f"https://{HOST}:8443"}, False),
        ({"sec_fetch_site": "same-origin"}, True),
        ({"sec_fetch_site": "same-site"}, False),
        ({"origin": "https://www.shop.example"}, True),
        ({"origin": "https://evil.example"}, False),
        ({"origin": None}, False),
    ],
)
def test_the_sites_own_origin_is_that_of_host_of_the_browser_or_of_a_list(
    headers: dict[str, str | None], is_own: bool
) -> None:
    assert is_from_own_origin(request_of(**headers), ["https://www.shop.example"]) is is_own
