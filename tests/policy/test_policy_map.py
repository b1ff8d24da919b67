"""``PolicyMap``: which policy governs which path, and problems of keys."""

from __future__ import annotations

import pickle
import posixpath
import re
from typing import Any

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
        ("/public/../api/x", NO_ORIGIN),  # a file server reads it as /api/x
        ("/api/%2e%2e/x", API),  # never decoded again
        ("/api//admin/x", NO_ORIGIN),
        ("//api/x", NO_ORIGIN),
        ("/internal/x", None),
        ("/internal", REST),
        ("/caf\u00e9/menu", API),
        ("/cafe\u0301/menu", REST),  # looks the same, and is another path
        ("/a//b/c", NO_ORIGIN),
        ("/public/./x", PUBLIC),  # both have one policy
        ("/public\\..\\api/x", NO_ORIGIN),
        ("/a/b/c", REST),
        ("/", REST),
        ("", REST),
        ("*", REST),  # OPTIONS *
        ("/api/\udcff", API),  # a server's text for bytes that are no UTF-8
        ("/api/\n", API),
    ],
)
@pytest.mark.parametrize("is_reversed", [False, True])
def test_which_policy_governs_a_path(path: str, expected: Policy | None, is_reversed: bool) -> None:
    entries = list(MAP.items())
    policies = PolicyMap(dict(reversed(entries) if is_reversed else entries), default=REST)
    assert policies.policy_for(path) is expected


HOSTS = {
    "api.example.com/*": API,
    "api.example.com/admin/*": ADMIN,
    "api.example.com/health": None,
    "*.example.com/*": REST,
    "*.eu.example.com/api/*": PUBLIC,
    "only.example.net/a": API,
    "localhost/*": API,
    "127.0.0.1/*": REST,
    "[::1]/*": ADMIN,
    "/public/*": PUBLIC,
}


@pytest.mark.parametrize(
    ("host", "path", "expected"),
    [
        ("api.example.com", "/x", API),
        ("API.Example.COM", "/x", API),
        ("api.example.com:8443", "/x", API),
        ("api.example.com:", "/x", API),
        ("api.example.com.", "/x", API),
        ("api.example.com.:8443", "/x", API),
        ("api.example.com..", "/x", None),
        ("api.example.com:http", "/x", None),
        ("user@api.example.com", "/x", None),
        ("api.example.com, api.example.com", "/x", None),
        ("api.example.com", "/admin/", ADMIN),
        ("api.example.com", "/admin/../x", NO_ORIGIN),  # the resolved path has another policy
        ("api.example.com", "/health", None),
        ("api.example.com", "/public/x", API),  # keys of the host come first
        ("example.com", "/x", None),  # "*." is never the apex
        ("www.example.com", "/x", REST),
        ("a.b.example.com", "/x", REST),
        ("a.eu.example.com", "/api/x", PUBLIC),
        ("a.eu.example.com", "/x", None),  # no key of this host, and no fallback to a shorter one
        ("eu.example.com", "/api/x", REST),
        ("a.eu.example.com", "/public/x", PUBLIC),
        ("only.example.net", "/a", API),
        ("only.example.net", "/b", None),
        ("only.example.net", "/public/x", PUBLIC),
        ("x.only.example.net", "/a", None),
        ("evil!.example.com", "/x", None),
        ("..example.com", "/x", None),
        (".example.com", "/x", None),
        (f"{'a' * 63}.example.com", "/x", REST),
        (f"{'a' * 64}.example.com", "/x", None),
        (f"{'a.' * 130}example.com", "/x", None),
        ("a." * 1_000_000, "/public/x", PUBLIC),
        ("localhost:3000", "/x", API),
        ("127.0.0.1:3000", "/x", REST),
        ("127.1", "/x", None),
        ("[::1]:3000", "/x", ADMIN),
        ("[::1]", "/x", ADMIN),
        ("[0:0::1]", "/x", None),
        ("\u212ape.example.com", "/x", None),
        ("", "/public/x", PUBLIC),
        (None, "/public/x", PUBLIC),
        (None, "/x", None),
    ],
)
@pytest.mark.parametrize("is_reversed", [False, True])
def test_which_policy_governs_a_host(
    host: str | None, path: str, expected: Policy | None, is_reversed: bool
) -> None:
    entries = list(HOSTS.items())
    policies = PolicyMap(dict(reversed(entries) if is_reversed else entries))
    assert policies.policy_for(path, host=host) is expected


def test_any_number_of_hosts_keeps_the_policy_of_each() -> None:
    policies = PolicyMap({"a.example/*": API, "*.a.example/*": ADMIN}, default=None)
    for number in [*range(2_000), 0, 1_999]:
        assert policies.policy_for("/", host="A.example:80") is API
        assert policies.policy_for("/", host=f"h{number}.a.example") is ADMIN
        assert policies.policy_for("/", host=f"h{number}.b.example") is None
        assert policies.policy_for("/", host=f"h{number}, a.example") is None


def test_hosts_take_the_paths_of_one_map_apart() -> None:
    policies = PolicyMap({"a.example/*": API, "b.example/*": ADMIN}, default=REST)
    assert policies.policy_for("/x/../y", host="a.example") is API
    assert policies.policy_for("//x", host="b.example") is ADMIN
    assert policies.policy_for("//x") is REST
    assert PolicyMap({"/x/*": API}).policy_for("/x/", host="a.example") is API


@pytest.mark.parametrize(
    ("policies", "default", "fields"),
    [
        ({"a.example/*": ADMIN}, ADMIN, ["default"]),
        ({"a.example/*": API, "/*": ADMIN}, None, ["/*"]),
        ({"a.example/*": API, "/*": (ADMIN, PUBLIC)}, (ADMIN,), ["/*", "default"]),
        ({"a.example/*": ADMIN, "/api/*": ADMIN}, REST, []),
        ({"/api/*": API}, ADMIN, []),
    ],
)
def test_no_policy_for_any_host_allows_credentials_beside_hosts(
    policies: dict[str, Any], default: Any, fields: list[str]
) -> None:
    found: tuple[Any, ...] = ()
    try:
        PolicyMap(policies, default=default)
    except ConfigError as error:
        found = error.problems
    assert [(one.code, one.field) for one in found] == [
        ("default-with-credentials", field) for field in fields
    ]


def test_a_key_may_cover_every_path() -> None:
    policies = PolicyMap({"/*": API, "/": None}, default=REST)
    assert [policies.policy_for(path) for path in ("/x", "/x/y/", "*", "x")] == [API] * 4
    assert policies.policy_for("/") is None
    assert policies.policy_for("") is None  # RFC 9110 section 4.2.3: the same path


def test_an_empty_map_leaves_every_path_alone() -> None:
    assert PolicyMap({}, default=None).policy_for("/anything") is None
    assert PolicyMap({}) == PolicyMap({}, default=None)


def oracle(policies: dict[str, Policy | None], default: Policy | None, path: str) -> Policy | None:
    """Return the policy by the rules of the documentation, one after the other."""
    path = path or "/"
    if path in policies:
        return policies[path]
    prefixes = [key[:-1] for key in policies if key.endswith("/*")]
    fitting = [prefix for prefix in prefixes if prefix == "/" or path.startswith(prefix)]
    return policies[max(fitting, key=len) + "*"] if fitting else default


def resolved(path: str) -> str:
    """Return the path of the file that a file server opens."""
    if not path.startswith("/") and re.search(r"\\|/[./]", path) is None:
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
    # A text that ends in "/*" is a key of the rules, and no path.
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
    # A million slashes, which take minutes in quadratic time.
    deep = "/a" * 1000
    policies = PolicyMap({f"{deep}/*": API, "/a/*": ADMIN})
    assert policies.policy_for("/a" * 1_000_000) is API
    assert policies.policy_for("/" * 1_000_000) is None


@pytest.mark.parametrize(
    ("key", "code", "hint"),
    [
        ("https://x.example/api/*", "path-invalid", 'write "x.example/api/*"'),
        ("https://x.example", "path-invalid", 'write "x.example/*"'),
        ("https://X.example:8000/a", "path-invalid", 'write "x.example/a"'),
        ("api/*", "path-invalid", 'write "/api/*"'),
        ("x.example", "path-invalid", 'write "x.example/*" for a host, or "/x.example" for a path'),
        ("localhost:3000/*", "path-invalid", 'write "localhost/*"'),
        ("[::1]:3000/*", "path-invalid", 'write "[::1]/*"'),
        ("X.example./*", "path-invalid", 'write "x.example/*"'),
        ("v1.0/*", "path-invalid", 'write "/v1.0/*"'),
        ("127.1/*", "path-invalid", 'write "127.0.0.1/*"'),
        ("*.127.0.0.1/*", "path-invalid", 'write "127.0.0.1/*"'),
        ("a.*.example/*", "path-invalid", 'as in "*.example.com/*"'),
        ("m\xfcnchen.example/", "path-invalid", 'as in "*.example.com/"'),
        ("x.example/api*", "path-invalid", 'write "x.example/api" and "x.example/api/*"'),
        ("*.x.example/a/*/b", "path-invalid", 'write "*.x.example/a/*"'),
        ("x.example/a?b", "path-invalid", 'write "x.example/a"'),
        ("x.example/items/{id}", "path-invalid", 'write "x.example/items/*"'),
        ("x.example/a%20b", "path-invalid", 'write "x.example/a b"'),
        ("x.example/v[12]/x", "path-is-regex", 'write "x.example/*"'),
        (r"x.example/a\.b", "path-is-regex", 'write "x.example/a.b"'),
    ],
)
def test_a_wrong_key_with_a_host_is_a_problem(key: str, code: str, hint: str) -> None:
    with pytest.raises(ConfigError) as caught:
        PolicyMap({key: API})
    (problem,) = caught.value.problems
    assert problem.code == code
    assert problem.hint.endswith(hint)
    assert problem.value == key


@pytest.mark.parametrize("key", ["/100%", "/a%zz", "/wiki/Foo_(bar)", "/a.b/c+d", "/a b", "/$x"])
def test_an_odd_path_is_a_key(key: str) -> None:
    assert PolicyMap({key: API}).policy_for(key) is API


def test_all_wrong_keys_are_reported_at_once() -> None:
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
def test_an_argument_that_is_no_map_is_a_type_error(
    policies: object, default: object, says: str
) -> None:
    with pytest.raises(TypeError) as caught:
        PolicyMap(policies, default=default)  # type: ignore[arg-type]
    assert says in str(caught.value)
