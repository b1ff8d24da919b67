"""Policies as the JSON documents of a store."""

from __future__ import annotations

import json
from contextlib import suppress
from getpass import getuser
from socket import gethostname
from typing import TYPE_CHECKING, Any

from corscore import ConfigError, Problem
from corscore.integration import escaped, read_policies, stored_policies
from corscore_store._store import VersionConflict

if TYPE_CHECKING:
    from collections.abc import Mapping

    from corscore import Policy, PolicyMap, PolicyResolver
    from corscore_store._store import Store

    Policies = Policy | tuple[Policy, ...] | PolicyMap | PolicyResolver

_ATTEMPTS = 20
# A worker that reports a version so far above the store's is mistaken.
_MAX_LOST = 2**32


def document_of(policies: Policies, resolvers: Mapping[str, object] | None = None) -> str:
    """The JSON document of policies.

    Raises:
        TypeError: A resolver has no name in ``resolvers``.
    """
    return json.dumps(stored_policies(policies, resolvers))


def policies_in(document: str, resolvers: Mapping[str, object]) -> Any:
    """The policies in a document.

    Raises:
        ConfigError: The document is wrong; it has every problem, or ``document-invalid`` if it is
            no table of JSON.
    """
    try:
        # Raises for all JSON but a table.
        table = dict(**json.loads(document))
    except (ValueError, TypeError, RecursionError) as error:
        raise ConfigError(
            (
                Problem(
                    "document-invalid",
                    "the store's document",
                    document,
                    f"it is no table of JSON: {escaped(error)}.",
                    "push a policy: corscore store push cors.toml --to URL",
                ),
            )
        ) from None
    return read_policies(table, resolvers)


def push(store: Store, policies: Policies, *, resolvers: Mapping[str, object] | None = None) -> int:
    """Write policies to a store, for all processes that follow it.

    Args:
        store: The store.
        policies: The policies to write.
        resolvers: The resolvers in them, by the names that the workers use.

    Returns:
        The number of the version.

    Raises:
        TypeError: A resolver has no name.
        StoreError: The store does not answer.
    """
    document = document_of(policies, resolvers)
    for _ in range(_ATTEMPTS):
        with suppress(VersionConflict):
            return write_next(store, document, store.state().version)
    return write_next(store, document, store.state().version)


def write_next(store: Store, document: str, expected: int) -> int:
    """Write a document with a number above all versions of the store and its workers; return it.

    Raises:
        VersionConflict: The newest version is not ``expected``.
    """
    # A store may have lost versions that workers still serve.
    served = (worker.version for worker in store.workers())
    known = (version for version in served if version - expected < _MAX_LOST)
    number = max(expected, *known, 0) + 1
    store.write(document, number=number, expected=expected, author=author())
    return number


def author() -> str:
    """The user and host, as the history names them."""
    try:
        user = getuser()
    except (OSError, KeyError, ImportError):
        user = "unknown"
    return escaped(f"{user}@{gethostname()}")
