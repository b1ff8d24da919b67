"""A policy for each tenant's domain, from a database, around a FastAPI application."""

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from fastapi import FastAPI
from sqlalchemy import text
from sqlalchemy.ext.asyncio import create_async_engine
from sqlalchemy.pool import StaticPool

import corscore_starlette
from corscore import Policy, PolicyResolver

# An application has a server here.
engine = create_async_engine("sqlite+aiosqlite://", poolclass=StaticPool)


@asynccontextmanager
async def lifespan(app: FastAPI) -> AsyncIterator[None]:
    own = Policy(allow_origins=["https://www.shop.example"], allow_credentials=True)
    row = {"host": "api.shop.example", "cors": json.dumps(own.to_mapping())}
    async with engine.begin() as connection:
        await connection.execute(text("CREATE TABLE tenant (host TEXT PRIMARY KEY, cors TEXT)"))
        await connection.execute(text("INSERT INTO tenant VALUES (:host, :cors)"), row)
    yield
    await engine.dispose()


async def policy_of(host: str | None) -> Policy | None:
    """The policy of a tenant; None for a host that is no tenant's."""
    async with engine.connect() as connection:
        query = text("SELECT cors FROM tenant WHERE host = :host")
        cors = (await connection.execute(query, {"host": host})).scalar()
    return None if cors is None else Policy.from_mapping(json.loads(cors))


app = FastAPI(lifespan=lifespan)


@app.get("/")
async def index() -> str:
    return "ok"


# One query a tenant and minute; ten minutes of the last policy while the database is down.
corscore_starlette.install(app, PolicyResolver(policy_of, ttl=60, stale_if_error=600))
