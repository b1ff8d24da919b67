"""Tenants in a real database: the recipes of docs/dynamic-origins.md and docs/hosts.md under load.

A resolver of origins, and one of whole policies while the database is down.
"""

from __future__ import annotations

import json
import threading
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import anyio
import fastapi
import flask
import pytest
from sqlalchemy import Integer, String, create_engine, exists, insert, select
from sqlalchemy.ext.asyncio import create_async_engine
from sqlalchemy.orm import DeclarativeBase, Mapped, Session, mapped_column
from sqlalchemy.pool import NullPool

from corscore import OriginResolver, Policy, PolicyResolver
from corscore._policy import memory
from corscore.testing.conformance import wsgi_sender
from corscore.testing.conformance._asgi import http_scope
from corscore_asgi import CORSMiddleware as ASGIMiddleware
from corscore_wsgi import CORSMiddleware as WSGIMiddleware

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

TENANTS = 10_000
REQUESTS = 1_000
# Each key is in several requests at a time.
KEYS = 100
# Seconds: a busy machine takes longer than the 30 of a pool of connections.
TIMEOUT = 3_600


class Base(DeclarativeBase):
    """The base of all tables."""


class AllowedOrigin(Base):
    """An origin that a tenant allows; its API is served at its own host."""

    __tablename__ = "allowed_origin"

    id: Mapped[int] = mapped_column(Integer, primary_key=True)
    host: Mapped[str] = mapped_column(String, index=True)
    origin: Mapped[str] = mapped_column(String)


class Tenant(Base):
    """A tenant's whole policy, as ``Policy.to_mapping`` writes it."""

    __tablename__ = "tenant"

    host: Mapped[str] = mapped_column(String, primary_key=True)
    cors: Mapped[str] = mapped_column(String)


def host_of(tenant: int) -> str:
    return f"tenant{tenant}.api.example"


def origin_of(tenant: int) -> str:
    return f"https://tenant{tenant}.example"


@pytest.fixture(scope="module")
def database(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("tenants") / "tenants.sqlite"
    engine = create_engine(f"sqlite:///{path}")
    Base.metadata.create_all(engine)
    origins = [{"host": host_of(tenant), "origin": origin_of(tenant)} for tenant in range(TENANTS)]
    policies = [
        {"host": host_of(tenant), "cors": json.dumps({"allow_origins": [origin_of(tenant)]})}
        for tenant in range(TENANTS)
    ]
    with engine.begin() as connection:
        connection.execute(insert(AllowedOrigin), origins)
        connection.execute(insert(Tenant), policies)
    engine.dispose()
    return path


@pytest.fixture
def no_verdict_expires(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(memory, "monotonic", lambda: 0.0)


def is_listed(origin: str, host: str | None) -> Any:
    rows = exists().where(AllowedOrigin.host == host, AllowedOrigin.origin == origin)
    return select(rows)


@pytest.mark.usefixtures("no_verdict_expires")
def test_flask_asks_a_database_once_a_key(database: Path) -> None:
    engine = create_engine(f"sqlite:///{database}", pool_timeout=TIMEOUT)
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


@pytest.mark.usefixtures("no_verdict_expires")
@pytest.mark.parametrize("backend", ["asyncio"])  # the only backend of aiosqlite
def test_fastapi_asks_a_database_once_a_key(database: Path, backend: str) -> None:
    queries: Counter[tuple[str, str | None]] = Counter()
    results: list[tuple[int, int, bool]] = []
    app = fastapi.FastAPI()

    @app.get("/")
    async def index() -> str:
        return "ok"

    async def main() -> None:
        engine = create_async_engine(f"sqlite+aiosqlite:///{database}", pool_timeout=TIMEOUT)

        async def is_allowed(origin: str, host: str | None) -> bool:
            queries[origin, host] += 1
            async with engine.connect() as connection:
                return bool((await connection.execute(is_listed(origin, host))).scalar())

        resolver = OriginResolver(is_allowed, timeout=TIMEOUT)
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
    # The verdict for one tenant counts for no other.
    assert [row for row in results if row[2] is not (row[0] == row[1])] == []
    assert len(queries) == 2 * KEYS
    assert max(queries.values()) == 1


@pytest.mark.slow
def test_every_tenant_fits_into_the_cache(database: Path) -> None:
    engine = create_engine(f"sqlite:///{database}")
    queries: Counter[str] = Counter()
    with Session(engine) as session:

        def is_allowed(origin: str, host: str | None) -> bool:
            queries[origin] += 1
            return bool(session.execute(is_listed(origin, host)).scalar())

        resolver = OriginResolver(is_allowed, ttl=3_600, timeout=None)
        layer = WSGIMiddleware(_nothing, Policy(origin_resolver=resolver))
        for _ in range(2):
            for tenant in range(TENANTS):
                assert wsgi(layer, host_of(tenant), origin_of(tenant))
    engine.dispose()
    assert len(queries) == TENANTS
    assert max(queries.values()) == 1


class Outage:
    """A database that can be down, and the clock of the resolver."""

    def __init__(self, database: Path) -> None:
        self.file = database
        self.aside = database.with_suffix(".aside")
        self.now = 0.0

    @property
    def is_down(self) -> bool:
        return self.aside.exists()

    @is_down.setter
    def is_down(self, is_down: bool) -> None:
        if is_down != self.is_down:
            source, target = (self.file, self.aside) if is_down else (self.aside, self.file)
            source.rename(target)


@pytest.fixture
def outage(database: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Outage]:
    one = Outage(database)
    monkeypatch.setattr(memory, "monotonic", lambda: one.now)
    yield one
    one.is_down = False


@pytest.mark.slow
def test_the_example_asks_once_for_a_tenant_also_while_the_database_is_down(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    path = Path(__file__).parents[2] / "examples" / "tenants.py"
    names: dict[str, Any] = {}
    exec(compile(path.read_text("utf-8"), str(path), "exec"), names)  # noqa: S102 - our own
    now = 0.0
    monkeypatch.setattr(memory, "monotonic", lambda: now)
    asked: list[str | None] = []
    engine = names["engine"]

    class Down:
        @staticmethod
        def connect() -> None:
            raise ConnectionError("no database")

    class Counting:
        @staticmethod
        def connect() -> Any:
            asked.append("query")
            return engine.connect()

    names["engine"] = Counting
    send = wsgi_sender(names["application"])

    def allowed(number: int) -> bool:
        page = f"https://www.shop-{number}.example"
        answer = send("GET", f"https://api.shop-{number}.example/", [("Origin", page)])
        return ("Access-Control-Allow-Origin", page) in list(answer.headers)

    with ThreadPoolExecutor(8) as pool:
        assert all(pool.map(allowed, [7] * 500 + [9_999] * 500))
    assert len(asked) == 2
    names["engine"], now = Down, 300.0
    assert allowed(7)
    assert not allowed(8)
    now = 600.0
    assert not allowed(7)


def policy_in(cors: str | None) -> Policy | None:
    return None if cors is None else Policy.from_mapping(json.loads(cors))


def of_tenant(host: str | None) -> Any:
    return select(Tenant.cors).where(Tenant.host == host)


def check_outage(outage: Outage, queries: Counter[str | None], serve: Callable[[], int]) -> None:
    """Check one query a tenant and ttl, the last policies during an outage, and then none."""
    assert serve() == REQUESTS
    assert queries == dict.fromkeys(map(host_of, range(KEYS)), 1)
    outage.is_down, outage.now = True, 59
    assert serve() == REQUESTS
    assert queries.total() == KEYS
    outage.now = 61
    assert serve() == REQUESTS
    assert min(queries.values()) > 1
    outage.now = 600
    assert serve() == 0
    outage.is_down = False
    assert serve() == REQUESTS


@pytest.mark.slow
def test_wsgi_serves_the_last_policies_while_the_database_is_down(outage: Outage) -> None:
    # Made before the outage.
    engine = create_engine(f"sqlite:///file:{outage.file}?mode=ro&uri=true", poolclass=NullPool)
    queries: Counter[str | None] = Counter()

    def policy_of(host: str | None) -> Policy | None:
        queries[host] += 1
        with Session(engine) as session:
            return policy_in(session.execute(of_tenant(host)).scalar())

    tenants = PolicyResolver(policy_of, ttl=60, timeout=None, stale_if_error=600)
    layer = WSGIMiddleware(_nothing, tenants)

    def serve() -> int:
        numbers = [number % KEYS for number in range(REQUESTS)]
        with ThreadPoolExecutor(20) as pool:
            return sum(
                pool.map(partial(wsgi, layer), map(host_of, numbers), map(origin_of, numbers))
            )

    check_outage(outage, queries, serve)


@pytest.mark.slow
def test_asgi_serves_the_last_policies_while_the_database_is_down(outage: Outage) -> None:
    url = f"sqlite+aiosqlite:///file:{outage.file}?mode=ro&uri=true"
    engine = create_async_engine(url, poolclass=NullPool)
    queries: Counter[str | None] = Counter()

    async def policy_of(host: str | None) -> Policy | None:
        queries[host] += 1
        async with engine.connect() as connection:
            return policy_in((await connection.execute(of_tenant(host))).scalar())

    app = fastapi.FastAPI()
    tenants = PolicyResolver(policy_of, ttl=60, timeout=30, stale_if_error=600)
    layer = ASGIMiddleware(app, tenants)

    async def serve_all() -> int:
        results: list[bool] = []

        async def serve_one(tenant: int) -> None:
            results.append(await asgi(layer, host_of(tenant), origin_of(tenant)))

        async with anyio.create_task_group() as tasks:
            for number in range(REQUESTS):
                tasks.start_soon(serve_one, number % KEYS)
        return sum(results)

    check_outage(outage, queries, lambda: anyio.run(serve_all))


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
