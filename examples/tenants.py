"""A policy for each tenant's domain, from a database, around any WSGI application."""

import json
from typing import TYPE_CHECKING

from sqlalchemy import create_engine, text
from sqlalchemy.pool import StaticPool

from corscore import Policy, PolicyResolver
from corscore_wsgi import CORSMiddleware

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIEnvironment

# An application has a server here, whose driver has a time limit of its own.
engine = create_engine("sqlite://", poolclass=StaticPool, connect_args={"check_same_thread": False})
with engine.begin() as connection:
    connection.execute(text("CREATE TABLE tenant (host TEXT PRIMARY KEY, cors TEXT)"))
    for number in range(10_000):
        own = Policy(allow_origins=[f"https://www.shop-{number}.example"], allow_credentials=True)
        row = {"host": f"api.shop-{number}.example", "cors": json.dumps(own.to_mapping())}
        connection.execute(text("INSERT INTO tenant VALUES (:host, :cors)"), row)


def policy_of(host: str | None) -> Policy | None:
    """The policy of a tenant; None for a host that is no tenant's."""
    with engine.connect() as connection:
        query = text("SELECT cors FROM tenant WHERE host = :host")
        cors = connection.execute(query, {"host": host}).scalar()
    return None if cors is None else Policy.from_mapping(json.loads(cors))


def app(environ: "WSGIEnvironment", start_response: "StartResponse") -> list[bytes]:
    start_response("200 OK", [("Content-Type", "text/plain")])
    return [b"ok"]


# One query a tenant and minute; ten minutes of the last policy while the database is down.
tenants = PolicyResolver(policy_of, ttl=60, timeout=None, stale_if_error=600)
application = CORSMiddleware(app, tenants)
