"""Redis as a store: hashes, sets of origins, and a channel for notices."""

from __future__ import annotations

import json
import os
from contextlib import suppress
from secrets import token_hex
from typing import TYPE_CHECKING, Any

import redis
from redis.backoff import NoBackoff
from redis.retry import Retry

from corscore_store import _store
from corscore_store._store import (
    ANSWER_SECONDS,
    State,
    Store,
    Version,
    VersionConflict,
    Worker,
)

if TYPE_CHECKING:
    from corscore_store._store import Address

_MAX_BURST = 1_000
# Scripts, since Redis runs no other command while one runs.
_WRITE = """
local newest = tonumber(redis.call('HGET', KEYS[1], 'version') or '0')
local number = tonumber(ARGV[2])
if newest ~= tonumber(ARGV[1]) then
  -- The client sends a write again when its answer was lost.
  local kept = newest == number and redis.call('HGET', KEYS[2], ARGV[2]) or ''
  return string.sub(kept, -string.len(ARGV[3])) == ARGV[3] and -1 or newest
end
for _, old in ipairs(redis.call('HKEYS', KEYS[2])) do
  local kept = tonumber(old)
  if kept and kept <= number - tonumber(ARGV[5]) then redis.call('HDEL', KEYS[2], old) end
end
local time = redis.call('TIME')
local seconds = ARGV[6] ~= '' and ARGV[6] or time[1] .. '.' .. string.format('%06d', time[2])
redis.call('HSET', KEYS[2], ARGV[2], seconds .. ' ' .. ARGV[3])
redis.call('HSET', KEYS[1], 'version', ARGV[2], 'digest', ARGV[4])
redis.call('PUBLISH', KEYS[3], ARGV[2])
return -1
"""
_BEAT = "return redis.call('HSET', KEYS[1], ARGV[1], redis.call('TIME')[1] .. ' ' .. ARGV[2])"
_CHANGE = """
for number = 5, #ARGV do redis.call(ARGV[1], KEYS[2], ARGV[number]) end
if ARGV[4] == '' then return 0 end
redis.call('RPUSH', KEYS[3], ARGV[2])
redis.call('LTRIM', KEYS[3], -tonumber(ARGV[3]), -1)
redis.call('HINCRBY', KEYS[1], 'changes', 1)
return redis.call('PUBLISH', KEYS[4], ARGV[2])
"""


class _Client:
    """The client of one process, which its threads share, and its subscription."""

    def __init__(self, url: str) -> None:
        self.redis: Any = redis.Redis.from_url(
            url,
            decode_responses=True,
            encoding_errors="replace",
            socket_timeout=ANSWER_SECONDS,
            socket_connect_timeout=ANSWER_SECONDS,
            retry=Retry(NoBackoff(), 1),
        )
        self.channel: Any = None


class RedisStore(Store):
    """A store in Redis. Its keys begin with ``corscore:{name}:``."""

    _errors_of_driver = (redis.RedisError, OSError)

    def __init__(self, address: Address, name: str) -> None:
        super().__init__(address, name)
        # Braces put all keys on one node of a cluster.
        self._prefix = f"corscore:{{{name}}}:"
        self._clients: dict[int, _Client] = {}
        self._client()
        self._head, self._versions, self._workers, self._changed, self._notices = (
            f"{self._prefix}{part}"
            for part in ("head", "versions", "workers", "changed", "notices")
        )

    @property
    def _redis(self) -> Any:
        return self._client().redis

    def _client(self) -> _Client:
        """The client of this process; that of a parent process keeps its sockets open."""
        process = os.getpid()
        if process not in self._clients:
            self._clients.setdefault(process, _Client(self._address.url))
        return self._clients[process]

    def state(self) -> State:
        """The fields of the head."""
        with self._errors():
            kept = self._redis.hmget(self._head, "version", "digest", "changes")
        return self._state(*kept)

    def version(self, number: int) -> Version | None:
        """A version, from its field."""
        with self._errors():
            kept = self._redis.hget(self._versions, str(number))
        return None if kept is None else _version(number, kept)

    def history(self, limit: int = 20) -> list[Version]:
        """The newest versions."""
        with self._errors():
            numbers = _store.numbers_in(self._redis.hkeys(self._versions))[:limit]
            kept = self._redis.hmget(self._versions, numbers) if numbers else []
        return [_version(*pair) for pair in zip(numbers, kept, strict=True) if pair[1] is not None]

    def write(
        self, document: str, *, number: int, expected: int, author: str, time: float | None = None
    ) -> None:
        """Write a version by a script."""
        newest = self._run(
            _WRITE,
            (self._head, self._versions, self._notices),
            expected,
            number,
            # No other write has its id.
            json.dumps({"document": document, "author": author, "id": token_hex(8)}),
            _store.digest_of(document),
            _store.KEPT_VERSIONS,
            "" if time is None else repr(time),
        )
        if newest >= 0:
            raise VersionConflict(newest)

    def beat(self, worker: Worker) -> None:
        """Keep a heartbeat, with the time by the clock of Redis."""
        self._run(_BEAT, (self._workers,), worker.id, worker.report())

    def _heartbeats(self) -> list[tuple[object, float]]:
        found: list[tuple[object, float]] = []
        with self._errors():
            now = self._redis.time()[0]
            for key, kept in sorted(self._redis.hgetall(self._workers).items()):
                seen, _, report = kept.partition(" ")
                (second,) = _store.numbers_in([seen]) or (0,)
                # A heartbeat of the future is from before a clock was set back.
                if abs(now - second) > _store.WORKER_SECONDS:
                    self._redis.hdel(self._workers, key)
                else:
                    found.append((report, now - second))
        return found

    def listen(self) -> None:
        """Subscribe to the channel."""
        client = self._client()
        if client.channel is None:
            with self._errors():
                channel = client.redis.pubsub()
                channel.subscribe(self._notices)
                # Takes the confirmation: each later one is a notice that the client reconnected.
                channel.get_message(timeout=ANSWER_SECONDS)
                client.channel = channel

    def wait(self, seconds: float) -> bool:
        """Wait for a message."""
        channel = self._client().channel
        with self._errors():
            message = channel.get_message(timeout=seconds)
            # A burst of messages is one notice, and may have no end.
            for _ in range(_MAX_BURST):
                if message is None or channel.get_message(timeout=0) is None:
                    break
        return message is not None

    def disconnect(self) -> None:
        """Close the subscription and the idle connections."""
        client = self._client()
        channel, client.channel = client.channel, None
        with suppress(redis.RedisError, OSError):
            if channel is not None:
                channel.close()
            client.redis.close()

    def _has_origin(self, tenant: str, origin: str) -> bool:
        with self._errors():
            return bool(self._redis.sismember(self._set_of(tenant), origin))

    def origins(self, tenant: str) -> tuple[str, ...]:
        """All origins of a tenant, sorted."""
        with self._errors():
            return tuple(sorted(self._redis.smembers(self._set_of(tenant))))

    def _change_origins(self, tenant: str, add: tuple[str, ...], remove: tuple[str, ...]) -> None:
        # The script of the last part counts the change.
        keys = (self._head, self._set_of(tenant), self._changed, self._notices)
        parts = [("SREM", part) for part in _store.chunks(remove)] + [
            ("SADD", part) for part in _store.chunks(add)
        ]
        with self._errors():
            steps = self._redis.pipeline(transaction=True)
            for number, (command, part) in enumerate(parts, 1):
                is_last = "last" if number == len(parts) else ""
                steps.eval(
                    _CHANGE, len(keys), *keys, command, tenant, _store.KEPT_CHANGES, is_last, *part
                )
            steps.execute()

    def changed_tenants(self, since: int, until: int) -> list[str] | None:
        """The tenants of these changes: the last ones of the list."""
        count = until - since
        if not 0 < count <= _store.KEPT_CHANGES:
            return None
        with self._errors():
            found: list[str] = self._redis.lrange(self._changed, -count, -1)
        # Changes that came since may have pushed the first ones out.
        return found if len(found) == count and self.state().changes == until else None

    def _set_of(self, tenant: str) -> str:
        return f"{self._prefix}origins:{tenant}"

    def _run(self, script: str, keys: tuple[str, ...], *values: object) -> Any:
        with self._errors():
            return self._redis.eval(script, len(keys), *keys, *values)


def _version(number: int, kept: str) -> Version:
    time, _, text = kept.partition(" ")
    # A value that was written by hand is a document, whose reader reports its mistakes.
    return Version.from_json(number, text, time) or Version.of(number, kept, "", 0)
