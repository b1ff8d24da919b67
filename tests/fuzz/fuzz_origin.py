"""Fuzz the two parsers with atheris: ``make fuzz``.

The test suite has the same properties under Hypothesis, and does not need atheris. The first
argument of libFuzzer that is a folder is the corpus.
"""

from __future__ import annotations

import sys

try:
    import atheris
except ModuleNotFoundError:
    sys.exit("fuzz_origin: atheris is not installed; `pip install atheris` and run this again")

with atheris.instrument_imports(include=["corscore"]):
    from corscore import ConfigError, Policy

POLICIES = [
    Policy(allow_origins=["https://example.com", "http://[::1]:*", "http://127.0.0.1:8000"]),
    Policy(allow_origins=["https://*.example.com:*", "https://*.com"], allow_null_origin=True),
    Policy(allow_origin_regex="(?s).*"),
]


def fuzz(data: bytes) -> None:
    """A pattern is accepted or refused with reasons; an origin is allowed or not."""
    for known in POLICIES:
        assert known.allows_origin(data) is known.allows_origin(data.decode("latin-1"))
    text = data.decode("utf-8", "surrogateescape")
    for known in POLICIES:
        known.allows_origin(text)
    policy = _policy_of(text)
    if policy is not None:
        # A browser may send any origin that a policy can list.
        assert policy.allows_origin(text) is ("*" not in text or text == "*"), text


def _policy_of(text: str) -> Policy | None:
    try:
        return Policy(allow_origins=[text])
    except ConfigError as error:
        str(error)
        return None


if __name__ == "__main__":
    atheris.Setup(sys.argv, fuzz)
    atheris.Fuzz()
