"""``PolicyMap``: which policy governs which path, and what is no key."""

from __future__ import annotations

import pickle
import posixpath

import pytest
from hypothesis import given
from hypothesis import strategies as st

from corscore import ConfigError, Policy, PolicyMap
from corscore.integration import NO_ORIGIN

pytestmark = pytest.mark.usefixtures("build")

API = Policy(allow_origins=["https://api-user.example"])
ADMIN = Policy(allow_origins=["https://admin.example"], allow_credentials=True)
PUBLIC = Policy(allow_origins=["*"])
REST = Policy(allow_origins=["https://rest.example"])

MAP = {
    "/api/*": API,
    "/api/admin/*": ADMIN,
    "/api/admin/health": PUBLIC,
    "/public/*": PUBLIC,
    "/internal/*": None,
    "/caf\u00e9/*": API,
    "/a//b/*": ADMIN,
}


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("/api/", API),
        ("/api/x", API),
        ("/api", REST),  # its own key
        ("/apix", REST),
        ("/API/x", REST),  # case-sensitive
        ("/api/admin", API),
        ("/api/admin/", ADMIN),
        ("/api/admin/x/y", ADMIN),
        ("/api/admin/health", PUBLIC),  # a literal beats every prefix
        ("/api/admin/health/", ADMIN),
        ("/public/../api/x", NO_ORIGIN),  # what a file server takes for /api/x
        ("/api/%2e%2e/x", API),  # never decoded again
        ("/api//admin/x", NO_ORIGIN),
        ("//api/x", NO_ORIGIN),
        ("/internal/x", None),
        ("/internal", REST),
        ("/caf\u00e9/menu", API),
        ("/cafe\u0301/menu", REST),  # the same to a reader, and another path
        ("/a//b/c", NO_ORIGIN),
        ("/public/./x", PUBLIC),  # both have one policy
        ("/public\\..\\api/x", NO_ORIGIN),
        ("/a/b/c", REST),
        ("/", REST),
        ("", REST),
        ("*", REST),  # OPTIONS *
        ("/api/\udcff", API),  # whatever a server makes of bytes that are no UTF-8
        ("/api/\n", API),
    ],
)
@pytest.mark.parametrize("is_reversed", [False, True])
def test_which_policy_governs_a_path(path: str, expected: Policy | None, is_reversed: bool) -> None:
    entries = list(MAP.items())
    policies = PolicyMap(dict(reversed(entries) if is_reversed else entries), default=REST)
    assert policies.policy_for(path) is expected


def test_every_path_has_a_key() -> None:
    policies = PolicyMap({"/*": API, "/": None}, default=REST)
    assert [policies.policy_for(path) for path in ("/x", "/x/y/", "*", "x")] == [API] * 4
    assert policies.policy_for("/") is None
    assert policies.policy_for("") is None  # RFC 9110 section 4.2.3: the same path


def test_nothing_but_routes() -> None:
    assert PolicyMap({}, default=None).policy_for("/anything") is None
    assert PolicyMap({}) == PolicyMap({}, default=None)


def oracle(policies: dict[str, Policy | None], default: Policy | None, path: str) -> Policy | None:
    """The rules of the documentation, one after the other."""
    path = path or "/"
    if path in policies:
        return policies[path]
    prefixes = [key[:-1] for key in policies if key.endswith("/*")]
    fitting = [prefix for prefix in prefixes if prefix == "/" or path.startswith(prefix)]
    return policies[max(fitting, key=len) + "*"] if fitting else default


def resolved(path: str) -> str:
    """The path of the file that a file server opens."""
    if not path.startswith("/"):
        return path
    names = posixpath.normpath(path.replace("\\", "/")).strip("/")
    return f"/{names}/" if names and path.endswith(("/", "/.", "/..")) else f"/{names}"


segments = st.sampled_from(["", "a", "b", "api", "v1", ".", "..", "\u00e9", "A"])
paths = st.lists(segments, max_size=5).map(lambda parts: "/" + "/".join(parts))
keys = paths | paths.map(lambda path: path.rstrip("/") + "/*")
some_policy = st.sampled_from([None, API, ADMIN, PUBLIC, REST])


@given(st.dictionaries(keys, some_policy, max_size=12), some_policy, paths | st.text(max_size=5))
def test_a_map_does_what_its_rules_say(
    policies: dict[str, Policy | None], default: Policy | None, path: str
) -> None:
    expected = oracle(dict(policies.items()), default, path)
    if oracle(dict(policies.items()), default, resolved(path)) != expected:
        expected = NO_ORIGIN
    # A text that ends in "/*" is no path of the table but one of the rules' keys.
    if not path.endswith("/*"):
        assert PolicyMap(policies, default=default).policy_for(path) is expected


@given(st.dictionaries(keys, some_policy, max_size=6), some_policy)
def test_a_map_is_a_value(policies: dict[str, Policy | None], default: Policy | None) -> None:
    one = PolicyMap(policies, default=default)
    other = PolicyMap(dict(reversed(list(policies.items()))), default=default)
    assert one == other
    assert hash(one) == hash(other)
    assert eval(repr(one)) == one  # noqa: S307
    assert pickle.loads(pickle.dumps(one)) == one  # noqa: S301
    assert one != PolicyMap({**policies, "/another": API}, default=default)


def test_a_map_is_frozen() -> None:
    given: dict[str, Policy | None] = {"/api/*": API}
    policies = PolicyMap(given)
    given["/api/*"] = PUBLIC
    assert policies.policy_for("/api/x") is API
    with pytest.raises(AttributeError, match="frozen"):
        policies.default = API  # type: ignore[misc]
    with pytest.raises(AttributeError, match="frozen"):
        del policies._table
    assert policies != "a map"


def test_a_long_path_is_looked_up_once() -> None:
    # Quadratic time would show as minutes: a million slashes, below a prefix of all of them.
    deep = "/a" * 1000
    policies = PolicyMap({f"{deep}/*": API, "/a/*": ADMIN})
    assert policies.policy_for("/a" * 1_000_000) is API
    assert policies.policy_for("/" * 1_000_000) is None


@pytest.mark.parametrize("key", ["/100%", "/a%zz", "/wiki/Foo_(bar)", "/a.b/c+d", "/a b", "/$x"])
def test_odd_paths_are_paths(key: str) -> None:
    assert PolicyMap({key: API}).policy_for(key) is API


def test_all_bad_keys_are_told_at_once() -> None:
    with pytest.raises(ConfigError) as caught:
        PolicyMap({"api": API, "/ok": API, "/api/.*": API})
    assert [problem.code for problem in caught.value.problems] == ["path-invalid", "path-is-regex"]


@pytest.mark.parametrize(
    ("policies", "default", "says"),
    [
        ([("/api/*", API)], None, 'PolicyMap({"/api/*": Policy(...)})'),
        ({"/api/*": ["https://a.example"]}, None, "'/api/*' has a list"),
        ({}, "*", "'default' has a str"),
    ],
)
def test_what_is_no_map(policies: object, default: object, says: str) -> None:
    with pytest.raises(TypeError) as caught:
        PolicyMap(policies, default=default)  # type: ignore[arg-type]
    assert says in str(caught.value)
