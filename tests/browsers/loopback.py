"""A loopback server of pages and answers, which records the requests that reach it.

Answers are written as bytes, since no framework would send malformed ones.
"""

from __future__ import annotations

import asyncio
import json
import threading
import time
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator

Pairs = list[tuple[str, str]]

_PAGE = Path(__file__).with_name("page.html").read_bytes()
_PLAIN = {"method": "GET", "headers": [], "credentials": "omit"}
_BLANK = {"frame": False, "xhr": False, "upload": False, "later": 0}
_WITHOUT_BODY = (204, 304)
# Firefox's preflight cache has a hundred entries.
_BETWEEN = 50  # fetches
# A preflight without Access-Control-Max-Age counts for 5 seconds.
_SOON = 2  # seconds
_PAST = 6  # seconds
_WARM = [
    ("Access-Control-Allow-Origin", "*"),
    ("Access-Control-Allow-Methods", "PUT"),
    ("Access-Control-Max-Age", "60"),
]


@dataclass(frozen=True)
class Arrival:
    """A request that reached the server."""

    method: str
    url: str
    headers: Pairs

    def value(self, name: str) -> str | None:
        """Return the value of a header by its name in lower case, or None."""
        return next((value for known, value in self.headers if known == name), None)

    @property
    def is_preflight(self) -> bool:
        """Whether it is a preflight."""
        return self.method == "OPTIONS" and self.value("access-control-request-method") is not None


@dataclass
class Seen:
    """What was seen of one fetch in an engine."""

    started: float
    arrivals: list[Arrival] = field(default_factory=list)
    outcome: dict[str, Any] = field(default_factory=dict)


def answer(step: dict[str, Any], path: str, *, is_preflight: bool) -> tuple[int, Pairs]:
    """Return the status and the headers that a step answers a request with."""
    hop = min(int(path.partition("?")[0].rpartition("/")[2]), len(step["hops"]) - 1)
    status, pairs = step["hops"][hop]["preflight" if is_preflight else "actual"]
    length = [] if status in _WITHOUT_BODY else [("Content-Length", "2")]
    # The model has no HTTP cache, so the engines must not use theirs.
    return status, [*map(tuple, pairs), ("Cache-Control", "no-store"), *length]


class Site:
    """The server of a run, which hands each case to the page, and records what the page does."""

    def __init__(self, ports: tuple[int, int]) -> None:
        first, second = ports
        self.origins = {
            "page": f"http://localhost:{first}",
            "a": f"http://127.0.0.1:{first}",
            "b": f"http://127.0.0.1:{second}",
            "c": f"http://localhost:{second}",
        }
        self.progress = threading.Condition()
        self._load([])

    def _load(self, cases: list[dict[str, Any]]) -> None:
        self.steps = [
            self.spelled(
                {"case": number, **_BLANK, **step, "init": {**_PLAIN, **step.get("init", {})}},
                number,
            )
            for number, case in enumerate(cases)
            for step in case["steps"]
        ]
        # Steps that wait come last, and the others of their cases not long before them.
        waiting = {step["case"] for step in self.steps if step["later"]}
        others = [step for step in self.steps if step["case"] not in waiting]
        first = [step for step in self.steps if step["case"] in waiting and not step["later"]]
        last = [step for step in self.steps if step["later"]]
        self.steps = [*others[:-_BETWEEN], *first, *others[-_BETWEEN:], *last]
        self.seen: list[Seen] = []
        self.is_done = False
        self._begun: dict[int, float] = {}
        self._ended: dict[int, float] = {}
        self._warm = 0
        self._warm_methods: list[str] = []

    def run(self, cases: list[dict[str, Any]]) -> None:
        """Set the cases for the next page."""
        with self.progress:
            self._load(cases)

    def wait(self, fetches: int, seconds: float) -> bool:
        """Wait for so many more fetches, and return whether the run is over.

        Raises:
            RuntimeError: Nothing happened for so many seconds.
        """
        with self.progress:
            before = len(self.seen)
            while not self.is_done and len(self.seen) < before + fetches:
                if not self.progress.wait(seconds):
                    raise RuntimeError(f"the browser stopped at fetch {len(self.seen)}")
            return self.is_done

    def spelled(self, value: Any, case: int) -> Any:
        """Return a step with origins for ``{page}``, ``{a}``, ``{b}`` and ``{c}``."""
        if isinstance(value, str):
            value = value.replace("{case}", str(case))
            for name, origin in self.origins.items():
                value = value.replace(f"{{{name}}}", origin)
                # For a URL with a user name.
                value = value.replace(f"{{{name} host}}", origin.removeprefix("http://"))
            return value
        if isinstance(value, dict):
            return {key: self.spelled(item, case) for key, item in value.items()}
        if isinstance(value, list):
            return [self.spelled(item, case) for item in value]
        return value

    def reply(self, request: Arrival, path: str, body: bytes) -> tuple[int, Pairs, bytes]:
        """Return the status, headers and body for a request."""
        if path.startswith("/f/"):
            return self._tested(request, path)
        if path.startswith("/warm/"):
            self._warm_methods.append(request.method)
            return 200, [*_WARM, ("Content-Length", "2")], b"ok"
        if path in ("/page", "/frame"):
            kind = ("Content-Type", "text/html")
            return 200, [kind, ("Content-Length", str(len(_PAGE)))], _PAGE
        told = json.dumps(self._control(path, json.loads(body or b"null"))).encode()
        return 200, [("Cache-Control", "no-store"), ("Content-Length", str(len(told)))], told

    def _tested(self, request: Arrival, path: str) -> tuple[int, Pairs, bytes]:
        with self.progress:
            if not self.seen:
                return 404, [("Content-Length", "0")], b""
            step = self.steps[len(self.seen) - 1]
            self.seen[-1].arrivals.append(request)
        status, pairs = answer(step, path, is_preflight=request.is_preflight)
        return status, pairs, b"" if status in _WITHOUT_BODY else b"ok"

    def _control(self, path: str, body: Any) -> Any:
        if path == "/warm":
            self._warm += 1
            self._warm_methods.clear()
            return f"{self.origins['a']}/warm/{self._warm}"
        if path == "/is-warm":
            return self._warm_methods.count("OPTIONS") == 1
        with self.progress:
            self.progress.notify_all()
            if path == "/outcome":
                self.seen[-1].outcome = body
                self._ended[self.steps[len(self.seen) - 1]["case"]] = time.monotonic()
                return True
            if len(self.seen) == len(self.steps):
                self.is_done = True
                return None
            step = self.steps[len(self.seen)]
            self._wait_for(step)
            number = len(self.seen)
            self.seen.append(Seen(time.monotonic()))
            told = {key: step[key] for key in ("frame", "url", "init", "xhr", "upload")}
            return {"number": number, **told}

    def _wait_for(self, step: dict[str, Any]) -> None:
        # Wait until permissions of 5 seconds have all expired, unless the case began just now.
        case, now = step["case"], time.monotonic()
        is_soon = now - self._begun.setdefault(case, now) < _SOON
        seconds = step["later"] or (0 if is_soon else _PAST)
        if seconds:
            time.sleep(max(0.0, self._ended[case] + seconds - now))
            self._begun[case] = time.monotonic()


@contextmanager
def site() -> Iterator[Site]:
    """Serve in a thread, on two free ports of 127.0.0.1."""
    loop = asyncio.new_event_loop()
    made: list[Site] = []
    writers: set[asyncio.StreamWriter] = set()
    tasks: set[asyncio.Task[None]] = set()

    async def connected(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writers.add(writer)
        task = asyncio.current_task()
        assert task is not None
        tasks.add(task)
        task.add_done_callback(tasks.discard)
        try:
            while await _exchange(made[0], reader, writer):
                pass
        except (OSError, asyncio.IncompleteReadError):
            pass  # the browser has gone
        finally:
            writers.discard(writer)
            writer.close()

    async def start() -> list[asyncio.Server]:
        return [await asyncio.start_server(connected, "127.0.0.1", 0) for _ in range(2)]

    async def stop() -> None:
        for server in servers:
            server.close()
        for writer in list(writers):
            writer.transport.abort()
        await asyncio.gather(*tasks, return_exceptions=True)

    # In another thread, since Playwright runs an event loop in this one.
    thread = threading.Thread(target=loop.run_forever, daemon=True)
    thread.start()
    servers = asyncio.run_coroutine_threadsafe(start(), loop).result(30)
    ports = [server.sockets[0].getsockname()[1] for server in servers]
    made.append(Site((ports[0], ports[1])))
    try:
        yield made[0]
    finally:
        asyncio.run_coroutine_threadsafe(stop(), loop).result(30)
        loop.call_soon_threadsafe(loop.stop)
        thread.join()
        loop.close()


async def _exchange(site: Site, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bool:
    head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
    method, path, _ = head[0].split(" ")
    pairs = [
        (name.lower(), value.strip(" \t"))
        for name, _, value in (line.partition(":") for line in head[1:] if line)
    ]
    fields = dict(pairs)
    body = await reader.readexactly(int(fields.get("content-length", "0")))
    url = path if path.startswith("http") else f"http://{fields['host']}{path}"
    status, headers, content = site.reply(Arrival(method, url, pairs), path, body)
    lines = [f"HTTP/1.1 {status} Status", *(f"{name}: {value}" for name, value in headers)]
    writer.write("\r\n".join([*lines, "", ""]).encode("latin-1"))
    if method != "HEAD":
        writer.write(content)
    await writer.drain()
    return True
