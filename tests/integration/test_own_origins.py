"""The site's own pages: behind a proxy that rewrites Host, a refusal names both fixes.

Where Host, ``own_origins`` or ``Sec-Fetch-Site`` says that a page is the site's own, it is in no
log, no resolver is asked about it, and ``on_decision`` can tell.
"""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Any

import pytest

from corscore import Decision, OriginResolver, Policy, RequestInfo
from corscore.testing.conformance import asgi_sender, wsgi_sender
from corscore.testing.conformance._asgi import http_scope
from corscore.testing.conformance._wsgi import wsgi_environ
from corscore_asgi import CORSMiddleware as ASGIMiddleware
from corscore_wsgi import CORSMiddleware as WSGIMiddleware
from tables import cases

if TYPE_CHECKING:
    from collections.abc import Callable

    Headers = list[tuple[str, str]]

pytestmark = pytest.mark.usefixtures("build")

POLICY = Policy(allow_origins=["https://app.example"])


async def asgi_app(scope: Any, receive: Any, send: Any) -> None:
    await send({"type": "http.response.start", "status": 200, "headers": []})
    await send({"type": "http.response.body"})


def wsgi_app(environ: Any, start_response: Any) -> list[bytes]:
    start_response("200 OK", [])
    return []


def through_asgi(policy: Policy, headers: Headers, **more: Any) -> None:
    async def hosted(scope: Any, receive: Any, send: Any) -> None:
        scope["headers"] = http_scope("POST", "https://x/", headers)["headers"][1:]
        await ASGIMiddleware(asgi_app, policy, **more)(scope, receive, send)

    asgi_sender(hosted)("POST", "https://x/orders", [])


def through_wsgi(policy: Policy, headers: Headers, **more: Any) -> None:
    def hosted(environ: Any, start_response: Any) -> Any:
        del environ["HTTP_HOST"]
        given = wsgi_environ("POST", "https://x/", headers)
        host = dict(headers).get("Host")
        environ.update({key: given[key] for key in given if key.startswith("HTTP_")})
        environ.pop("HTTP_HOST")
        if host is not None:
            environ["HTTP_HOST"] = host
        return WSGIMiddleware(wsgi_app, policy, **more)(environ, start_response)

    wsgi_sender(hosted)("POST", "https://x/orders", [])


THROUGH = pytest.mark.parametrize("through", [through_asgi, through_wsgi])


@THROUGH
@pytest.mark.parametrize("case", cases("own_origins"))
def test_requests_of_the_sites_own_pages_are_not_reported(
    through: Callable[..., None], case: dict[str, Any], caplog: pytest.LogCaptureFixture
) -> None:
    sent = {"Origin": case["origin"], "Host": case["host"], "Sec-Fetch-Site": case.get("site")}
    headers = [(name, value) for name, value in sent.items() if value is not None]
    seen: list[bool] = []
    asked: list[str] = []

    def on_decision(decision: Decision, request: RequestInfo) -> None:
        seen.append(request.is_own_origin)

    def is_allowed(origin: str, request: RequestInfo) -> bool:
        asked.append(origin)
        return False

    more = {"own_origins": case.get("own_origins", ()), "on_decision": on_decision}
    with caplog.at_level(logging.WARNING, "corscore"):
        through(POLICY, headers, **more, shadow=Policy(allow_origins=[case["origin"]]))
        through(Policy(origin_resolver=OriginResolver(is_allowed, timeout=None)), headers, **more)
    assert seen == [not case["reported"]] * 2
    assert bool(asked) is case["reported"]
    if not case["reported"]:
        assert caplog.messages == []
        return
    refused = [message for message in caplog.messages if message.startswith("CORS refused")]
    compared = "no Host" if case["host"] is None else f"Host {case['host']}"
    assert len(refused) == 2
    for message in refused:
        assert f"compared with {compared}:" in message
        assert "$http_host" in message
        assert "own_origins" in message
    assert any(message.startswith("shadow") for message in caplog.messages)
