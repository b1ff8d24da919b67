"""``open_store``: the engine for a URL."""

from __future__ import annotations

import re
from importlib import import_module
from typing import TYPE_CHECKING

from corscore import ConfigError, Problem
from corscore_store._store import Address

if TYPE_CHECKING:
    from corscore_store._store import Store

# The module, class and extra for each scheme.
_ENGINES = {
    "redis": ("_redis", "RedisStore", "redis"),
    "rediss": ("_redis", "RedisStore", "redis"),
    "unix": ("_redis", "RedisStore", "redis"),
    "postgresql": ("_postgres", "PostgresStore", "postgres"),
    "postgres": ("_postgres", "PostgresStore", "postgres"),
    "sqlite": ("_sqlite", "SqliteStore", ""),
    "file": ("_file", "FileStore", ""),
}
_EXAMPLES = (
    '"redis://cache.internal/0", "postgresql://db.internal/app", "sqlite:/srv/cors.db" '
    'or "file:/srv/cors"'
)
# The name is a part of Redis's keys, and of a channel of PostgreSQL, which has at most 63 bytes.
_NAME = re.compile(r"[A-Za-z0-9_.-]{1,40}")


def open_store(url: str, *, name: str = "default") -> Store:
    """Return the store at a URL, which connects at its first use.

    Args:
        url: ``redis:``, ``rediss:`` (TLS), ``unix:``, ``postgresql:``, ``sqlite:`` or ``file:``,
            with credentials and options as the driver takes them.
        name: The name of the policy in the store.

    Raises:
        ConfigError: ``store-invalid``: a wrong URL or name, or the driver is not installed.
    """
    try:
        address = Address(url)
        module, kind, extra = _ENGINES[address.scheme]
    except (ValueError, KeyError, AttributeError, TypeError):
        scheme = str(url).partition(":")[0] if ":" in str(url) else ""
        raise _invalid(
            f"a URL of the scheme {scheme!a} names no store.", f"write {_EXAMPLES}"
        ) from None
    if not address.is_clear:
        raise _invalid(
            f"a URL of the scheme {address.scheme!a} has an @ behind its host.",
            'write "@", "/", "?" and "#" in a password as "%40", "%2F", "%3F" and "%23"',
        )
    if not _NAME.fullmatch(name):
        raise _invalid(
            f"{name!a} is no name of a policy in a store.",
            'write letters, digits, "-", "_" and ".", at most 40, such as name="shop"',
        )
    try:
        store: Store = getattr(import_module(f"corscore_store.{module}"), kind)(address, name)
    except ImportError as error:
        raise _invalid(
            f"{address.scheme}: needs the package {error.name}, which is not installed.",
            f'run pip install "corscore[{extra}]"',
        ) from None
    except ValueError as error:
        raise _invalid(f"{address.redacted(error)}.", f"write {_EXAMPLES}") from None
    return store


def _invalid(message: str, hint: str) -> ConfigError:
    return ConfigError((Problem("store-invalid", "open_store", None, message, hint),))
