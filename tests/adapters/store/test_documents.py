"""Documents of a store may be any text: policies, or a ``ConfigError``."""

from __future__ import annotations

import json
from contextlib import suppress

from hypothesis import given
from hypothesis import strategies as st

from corscore import ConfigError, OriginResolver, PolicyResolver
from corscore_store.documents import document_of, policies_in

RESOLVERS = {
    "origins": OriginResolver(lambda origin, host: False),
    "policies": PolicyResolver(lambda host: None),
}
NAMES = [
    *("allow_origins", "allow_methods", "allow_headers", "expose_headers", "allow_credentials"),
    *("max_age", "allow_origin_regex", "allow_null_origin", "preflight_status", "debug"),
    *("origin_resolver", "policy_resolver", "policy", "default", "/api/*", "a.example/*", ""),
]
TEXTS = st.sampled_from(
    ["*", "null", "https://a.example", "https://*.a.example", "origins", "policies", "PUT", "x-a"]
)
SCALARS = st.none() | st.booleans() | st.integers() | st.floats() | TEXTS | st.text(max_size=5)
VALUES = st.recursive(
    SCALARS,
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(NAMES) | st.text(max_size=3), inner, max_size=4)
    ),
    max_leaves=12,
)


@given(VALUES.map(json.dumps) | st.text(max_size=40))
def test_any_document_is_policies_or_a_configuration_error(document: str) -> None:
    with suppress(ConfigError):
        found = policies_in(document, RESOLVERS)
        assert policies_in(document_of(found, RESOLVERS), RESOLVERS) == found
