"""Origins per tenant in a real database: the recipe of docs/dynamic-origins.md under load."""

from __future__ import annotations

import threading
from collections import Counter
from typing import TYPE_CHECKING, Any

import anyio
import fastapi
import flask
import pytest
from sqlalchemy import Integer, String, create_engine, exists, select
from sqlalchemy.ext.asyncio import create_async_engine
from sqlalchemy.orm import DeclarativeBase, Mapped, Session, mapped_column

from corscore import OriginResolver, Policy
from corscore.testing.conformance._asgi import http_scope
from corscore_asgi import CORSMiddleware as ASGIMiddleware
from corscore_wsgi import CORSMiddleware as WSGIMiddleware

if TYPE_CHECKING:
    from pathlib import Path

TENANTS = 10_000
REQUESTS = 1_000
# As many keys as fit into the requests, each asked for by several at a time.
KEYS = 100


class Base(DeclarativeBase):
    """All tables."""


class AllowedOrigin(Base):
    """An origin that a tenant allows; its API is served at its own host."""

    __tablename__ = "allowed_origin"

    id: Mapped[int] = mapped_column(Integer, primary_key=True)
    host: Mapped[str] = mapped_column(String, index=True)
    origin: Mapped[str] = mapped_column(String)


def host_of(tenant: int) -> str:
    return f"tenant{tenant}.api.example"


def origin_of(tenant: int) -> str:
    return f"https://tenant{tenant}.example"


@pytest.fixture(scope="module")
def database(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("tenants") / "tenants.sqlite"
    engine = create_engine(f"sqlite:///{path}")
    Base.metadata.create_all(engine)
    with Session(engine) as session:
        session.add_all(
            AllowedOrigin(host=host_of(tenant), origin=origin_of(tenant))
            for tenant in range(TENANTS)
        )
        session.commit()
    engine.dispose()
    return path


def is_listed(origin: str, host: str | None) -> Any:
    rows = exists().where(AllowedOrigin.host == host, AllowedOrigin.origin == origin)
    return select(rows)


def test_flask_asks_a_database_once_a_key(database: Path) -> None:
    engine = create_engine(f"sqlite:///{database}")
    queries: Counter[tuple[str, str | None]] = Counter()

    def is_allowed(origin: str, host: str | None) -> bool:
        queries[origin, host] += 1
        with Session(engine) as session:
            return bool(session.execute(is_listed(origin, host)).scalar())

    app = flask.Flask(__name__)
    app.add_url_rule("/", view_func=lambda: "ok")
    resolver = OriginResolver(is_allowed, timeout=None)
    layer = WSGIMiddleware(app.wsgi_app, Policy(origin_resolver=resolver, allow_credentials=True))
    results: list[tuple[int, int, bool]] = []

    def serve(numbers: range) -> None:
        for number in numbers:
            tenant, other = number % KEYS, (number + number // KEYS % 2) % KEYS
            results.append((tenant, other, wsgi(layer, host_of(tenant), origin_of(other))))

    threads = [
        threading.Thread(target=serve, args=(range(start, REQUESTS, 20),)) for start in range(20)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    engine.dispose()
    check(results, queries)


@pytest.mark.parametrize("backend", ["asyncio"])  # aiosqlite knows no other
def test_fastapi_asks_a_database_once_a_key(database: Path, backend: str) -> None:
    queries: Counter[tuple[str, str | None]] = Counter()
    results: list[tuple[int, int, bool]] = []
    app = fastapi.FastAPI()

    @app.get("/")
    async def index() -> str:
        return "ok"

    async def main() -> None:
        engine = create_async_engine(f"sqlite+aiosqlite:///{database}")

        async def is_allowed(origin: str, host: str | None) -> bool:
            queries[origin, host] += 1
            async with engine.connect() as connection:
                return bool((await connection.execute(is_listed(origin, host))).scalar())

        resolver = OriginResolver(is_allowed, timeout=30)
        layer = ASGIMiddleware(app, Policy(origin_resolver=resolver, allow_credentials=True))

        async def serve(number: int) -> None:
            tenant, other = number % KEYS, (number + number // KEYS % 2) % KEYS
            allowed = await asgi(layer, host_of(tenant), origin_of(other))
            results.append((tenant, other, allowed))

        async with anyio.create_task_group() as tasks:
            for number in range(REQUESTS):
                tasks.start_soon(serve, number)
        await engine.dispose()

    anyio.run(main, backend=backend)
    check(results, queries)


def check(results: list[tuple[int, int, bool]], queries: Counter[tuple[str, str | None]]) -> None:
    assert len(results) == REQUESTS
    # One tenant's answer serves no other.
    assert [row for row in results if row[2] is not (row[0] == row[1])] == []
    assert len(queries) == 2 * KEYS
    assert max(queries.values()) == 1


def test_every_tenant_fits_into_the_cache(database: Path) -> None:
    engine = create_engine(f"sqlite:///{database}")
    queries: Counter[str] = Counter()
    with Session(engine) as session:

        def is_allowed(origin: str, host: str | None) -> bool:
            queries[origin] += 1
            return bool(session.execute(is_listed(origin, host)).scalar())

        resolver = OriginResolver(is_allowed, timeout=None)
        layer = WSGIMiddleware(_nothing, Policy(origin_resolver=resolver))
        for _ in range(2):
            for tenant in range(TENANTS):
                assert wsgi(layer, host_of(tenant), origin_of(tenant))
    engine.dispose()
    assert len(queries) == TENANTS
    assert max(queries.values()) == 1


def _nothing(environ: Any, start_response: Any) -> list[bytes]:
    start_response("200 OK", [])
    return []


def wsgi(layer: Any, host: str, origin: str) -> bool:
    """Whether a page at ``origin`` may read what ``host`` sends."""
    started: list[dict[str, str]] = []
    environ = {
        "REQUEST_METHOD": "GET",
        "PATH_INFO": "/",
        "SCRIPT_NAME": "",
        "SERVER_NAME": "server.example",
        "SERVER_PORT": "80",
        "wsgi.url_scheme": "http",
        "HTTP_HOST": host,
        "HTTP_ORIGIN": origin,
    }
    body = layer(environ, lambda status, headers, *_: started.append(dict(headers)))
    if hasattr(body, "close"):
        body.close()
    return started[0].get("Access-Control-Allow-Origin") == origin


async def asgi(layer: Any, host: str, origin: str) -> bool:
    sent: list[Any] = []

    async def send(message: Any) -> None:
        sent.append(message)

    async def receive() -> Any:
        return {"type": "http.request", "body": b"", "more_body": False}

    scope = http_scope("GET", f"https://{host}/", [("Origin", origin)])
    await layer(scope, receive, send)
    return dict(sent[0]["headers"]).get(b"access-control-allow-origin") == origin.encode()
