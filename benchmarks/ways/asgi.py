"""A plain ASGI application, under every kind of policy."""

from __future__ import annotations

from tempfile import mkdtemp
from typing import TYPE_CHECKING

from benchmarks import cases
from benchmarks.cases import ACTUAL, NOTHING, POST, PREFLIGHT
from benchmarks.sites import asgi
from benchmarks.sites.serving import AsgiSite
from benchmarks.ways import BARE, PEERS, PLAIN, STORED, STORED_TENANTS, TENANTS, Case
from corscore import OriginResolver, Policy, PolicyMap, PolicyRef, PolicyResolver
from corscore_asgi import CORSMiddleware
from corscore_store import StoreRef, open_store, push

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from typing import Any

# A tenant's resolver is asked about both.
_TENANT_KEY = ("origin", "host")


def policy(**options: Any) -> Policy:
    """Return the policy of all benchmarks, with further options."""
    return Policy(**{**cases.options(), **options})


def map_of(keys: int) -> PolicyMap:
    """Return a map of so many keys, of which the last is for the requests' path."""
    other = policy(max_age=60)
    table: dict[str, Policy | None] = {f"/other{number}/*": other for number in range(keys - 1)}
    return PolicyMap({**table, cases.PATH_PREFIX: policy()})


def _governed(**arguments: Any) -> Callable[[], AsgiSite]:
    return lambda: AsgiSite(CORSMiddleware(asgi.app, **arguments))


def _map(keys: int) -> Callable[[], AsgiSite]:
    return lambda: AsgiSite(CORSMiddleware(asgi.app, map_of(keys)))


def _resolver(
    resolve: Callable[..., Any], key: tuple[str, ...] = ("origin",)
) -> Callable[[], AsgiSite]:
    def build() -> AsgiSite:
        resolver = OriginResolver(resolve, key=key)
        own = policy(allow_origins=["https://other.example"], origin_resolver=resolver)
        site = AsgiSite(CORSMiddleware(asgi.app, own))
        site.remember(ACTUAL)
        return site

    return build


def _stored() -> AsgiSite:
    # SQLite instead of a server, since no request reaches the store.
    store = open_store(f"sqlite:{mkdtemp()}/cors.db")
    push(store, policy())
    ref = StoreRef(store)
    site = AsgiSite(CORSMiddleware(asgi.app, ref))
    site.remember(ACTUAL)
    # Otherwise the thread that follows the store would be counted.
    ref.close()
    return site


def _stored_tenants() -> AsgiSite:
    store = open_store(f"sqlite:{mkdtemp()}/cors.db")
    store.change_origins("api.example.com", add=(cases.ORIGIN,))
    return _resolver(store.allows, _TENANT_KEY)()


def _tenants() -> AsgiSite:
    own = policy()
    site = AsgiSite(CORSMiddleware(asgi.app, PolicyResolver(lambda _: own)))
    site.remember(ACTUAL)
    return site


async def _allows(origin: str) -> bool:
    return True


CASES: Mapping[str, Case] = {
    BARE: Case(lambda: asgi.build(NOTHING), ACTUAL, None),
    PLAIN: Case(_governed(policy=policy()), ACTUAL),
    f"{PLAIN}, POST": Case(_governed(policy=policy()), POST),
    f"{PLAIN}, preflight": Case(_governed(policy=policy()), PREFLIGHT, None),
    "map of 1 key": Case(_map(1), ACTUAL),
    "map of 10 keys": Case(_map(10), ACTUAL),
    "map of 1,000 keys": Case(_map(1_000), ACTUAL),
    "map of 10 keys, preflight": Case(_map(10), PREFLIGHT, None),
    "reference": Case(_governed(policy=PolicyRef(policy())), ACTUAL),
    "reference, preflight": Case(_governed(policy=PolicyRef(policy())), PREFLIGHT, None),
    STORED: Case(_stored, ACTUAL),
    TENANTS: Case(_resolver(lambda *_: True, _TENANT_KEY), ACTUAL),
    STORED_TENANTS: Case(_stored_tenants, ACTUAL),
    "host key": Case(_governed(policy=PolicyMap({"api.example.com/*": policy()})), ACTUAL),
    "host key with *.": Case(_governed(policy=PolicyMap({"*.example.com/*": policy()})), ACTUAL),
    "tuple of 2": Case(
        _governed(policy=(policy(allow_origins=["https://first.example"]), policy())), ACTUAL
    ),
    "policy resolver, remembered": Case(_tenants, ACTUAL),
    "block_cross_site, GET": Case(_governed(policy=policy(), block_cross_site=True), ACTUAL),
    "block_cross_site, POST": Case(_governed(policy=policy(), block_cross_site=True), POST),
    "on_decision": Case(_governed(policy=policy(), on_decision=lambda *_: None), ACTUAL),
    "sync resolver, remembered": Case(_resolver(lambda _: True), ACTUAL),
    "async resolver, remembered": Case(_resolver(_allows), ACTUAL),
}
if asgi.STARLETTE in asgi.LAYERS:
    CASES = {**CASES, PEERS["asgi"]: Case(lambda: asgi.build(asgi.STARLETTE), ACTUAL)}
