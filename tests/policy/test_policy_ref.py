"""``PolicyRef``: policies that are replaced under load, by a program or a file."""

from __future__ import annotations

import gc
import http.client
import importlib.util
import logging
import os
import socket
import subprocess
import sys
import threading
import time
import weakref
from pathlib import Path
from typing import TYPE_CHECKING, Any

import anyio
import pytest

from cors_headers import cors_of
from corscore import ConfigError, OriginResolver, Policy, PolicyMap, PolicyRef
from corscore._policy import follower
from corscore._policy.file import FileWatcher, read_policy
from corscore.testing.conformance._asgi import http_scope
from corscore_asgi import CORSMiddleware as ASGIMiddleware
from corscore_wsgi import CORSMiddleware as WSGIMiddleware

if TYPE_CHECKING:
    from collections.abc import Callable

A = "https://a.example"
B = "https://b.example"
ONE = Policy(allow_origins=[A], expose_headers=["X-One"])
TWO = Policy(allow_origins=[A, B], allow_credentials=True, expose_headers=["X-Two"], max_age=5)
# A request from A may get these headers of one policy, or those of the other.
WHOLE = [
    {
        "access-control-allow-origin": [A],
        "access-control-expose-headers": ["X-One"],
        "vary": ["origin"],
    },
    {
        "access-control-allow-origin": [A],
        "access-control-allow-credentials": ["true"],
        "access-control-expose-headers": ["X-Two"],
        "vary": ["origin"],
    },
]
TIMES = 500


def test_replacing_says_what_changed(caplog: pytest.LogCaptureFixture) -> None:
    ref = PolicyRef(ONE)
    with caplog.at_level(logging.INFO, "corscore"):
        changed = ref.replace(TWO)
    assert ref.policy is TWO
    assert [change.option for change in changed] == [
        "allow_origins",
        "expose_headers",
        "allow_credentials",
        "max_age",
    ]
    assert (changed[0].added, changed[0].removed) == ((B,), ())
    assert (changed[1].added, changed[1].removed) == (("X-Two",), ("X-One",))
    assert (changed[3].before, changed[3].after) == (600, 5)
    assert caplog.messages == [
        (
            "policy replaced: allow_origins +https://b.example; expose_headers +X-Two -X-One; "
            "allow_credentials False -> True; max_age 600 -> 5"
        )
    ]
    assert ref.replace(TWO) == ()


def test_the_order_of_a_list_is_no_change() -> None:
    other = Policy(allow_origins=[B, A])
    assert PolicyRef(Policy(allow_origins=[A, B])).diff(other) == ()


def test_diff_changes_nothing() -> None:
    ref = PolicyRef(ONE)
    assert ref.diff(TWO) == PolicyRef(ONE).replace(TWO)
    assert ref.policy is ONE


def test_a_long_list_is_cut_in_the_log() -> None:
    many = Policy(allow_origins=[f"https://{n}.example.com" for n in range(1000)])
    (change,) = PolicyRef(Policy(allow_origins=[A])).diff(many)
    assert len(str(change)) < 300
    assert str(change).endswith("and 995 more")


def test_maps_are_compared_key_by_key() -> None:
    ref = PolicyRef(PolicyMap({"/api/*": ONE, "/old/*": ONE, "/x": ONE}, default=ONE))
    changed = ref.diff(PolicyMap({"/api/*": TWO, "/new/*": None, "/x": None}, default=ONE))
    assert [(change.path, change.option) for change in changed] == [
        ("/api/*", "allow_origins"),
        ("/api/*", "expose_headers"),
        ("/api/*", "allow_credentials"),
        ("/api/*", "max_age"),
        ("/old/*", "policy"),
        ("/x", "policy"),
        ("/new/*", "policy"),
    ]
    assert list(map(str, changed[-3:])) == [
        "/old/*: a policy -> no entry",
        "/x: a policy -> left alone",
        "/new/*: no entry -> left alone",
    ]
    assert [c.path for c in PolicyRef(ONE).diff(PolicyMap({}, default=ONE))] == []


@pytest.mark.parametrize("wrong", [None, [A], {"allow_origins": [A]}])
def test_a_reference_refuses_another_type_and_stays_as_it_was(wrong: Any) -> None:
    ref = PolicyRef(ONE)
    for attempt in (ref.replace, ref.diff, PolicyRef):
        with pytest.raises(TypeError, match="a Policy, a tuple or a PolicyMap was expected"):
            attempt(wrong)
    assert ref.policy is ONE


def test_a_policy_that_an_adapter_cannot_serve_does_not_replace_the_old_one() -> None:
    async def is_allowed(origin: str, request: object) -> bool:
        return True

    ref = PolicyRef(ONE)
    WSGIMiddleware(_wsgi_app, ref)
    for policy in (
        Policy(origin_resolver=is_allowed),
        PolicyMap({"/x": Policy(origin_resolver=is_allowed)}),
        Policy(origin_resolver=OriginResolver(lambda origin, host: True)),
    ):
        with pytest.raises(ConfigError):
            ref.replace(policy)
        assert ref.policy is ONE


# --- races


def test_a_request_keeps_the_policy_that_it_began_with() -> None:
    ref = PolicyRef(ONE)

    async def app(scope: Any, receive: Any, send: Any) -> None:
        ref.replace(TWO)
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body"})

    sent: list[Any] = []

    async def send(message: Any) -> None:
        sent.append(message)

    anyio.run(ASGIMiddleware(app, ref), _scope(), _never, send)
    assert _cors(sent) == WHOLE[0]


@pytest.mark.parametrize("backend", ["asyncio", "trio"])
def test_no_task_sees_a_mixture(backend: str) -> None:
    ref = PolicyRef(ONE)
    seen: list[dict[str, list[str]]] = []

    async def app(scope: Any, receive: Any, send: Any) -> None:
        await anyio.lowlevel.checkpoint()
        await send({"type": "http.response.start", "status": 200, "headers": []})

    layer = ASGIMiddleware(app, ref)

    async def request() -> None:
        sent: list[Any] = []

        async def send(message: Any) -> None:
            sent.append(message)

        await layer(_scope(), _never, send)
        seen.append(_cors(sent))

    async def replace() -> None:
        for number in range(TIMES):
            ref.replace(TWO if number % 2 else ONE)
            await anyio.lowlevel.checkpoint()

    async def main() -> None:
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(replace)
            for _ in range(TIMES):
                tasks.start_soon(request)

    anyio.run(main, backend=backend)
    assert len(seen) == TIMES
    assert [one for one in seen if one not in WHOLE] == []


def test_no_thread_sees_a_mixture() -> None:
    ref = PolicyRef(ONE)
    layer = WSGIMiddleware(_wsgi_app, ref)
    seen: list[dict[str, list[str]]] = []
    is_over = threading.Event()

    def requests() -> None:
        while not is_over.is_set():
            environ = {"REQUEST_METHOD": "GET", "PATH_INFO": "/", "HTTP_ORIGIN": A}
            layer(environ, lambda status, headers, *_: seen.append(cors_of(headers)))  # type: ignore[arg-type]

    threads = [threading.Thread(target=requests) for _ in range(4)]
    for thread in threads:
        thread.start()
    try:
        for number in range(TIMES):
            ref.replace(TWO if number % 2 else ONE)
    finally:
        is_over.set()
        for thread in threads:
            thread.join()
    assert seen
    assert [one for one in seen if one not in WHOLE] == []


# --- files


@pytest.fixture(autouse=True)
def _short_waits(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(follower, "_SECONDS", 0.05)


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "cors.toml"
    path.write_text(f'allow_origins = ["{A}"]\nmax_age = 5\n')
    return path


def test_a_file_has_the_policy(file: Path) -> None:
    ref = PolicyRef.from_file(file)
    assert ref.policy == Policy(allow_origins=[A], max_age=5)
    ref.close()


@pytest.mark.parametrize("content", [None, b"allow_origins = [", b"\xff\xfe"])
def test_a_file_that_cannot_be_read_is_a_problem(file: Path, content: bytes | None) -> None:
    if content is None:
        file.unlink()
    else:
        file.write_bytes(content)
    with pytest.raises(ConfigError) as caught:
        PolicyRef.from_file(file)
    assert [problem.code for problem in caught.value.problems] == ["file-unreadable"]
    assert "cors.toml" in str(caught.value)


def test_all_problems_of_a_file_are_reported(file: Path) -> None:
    file.write_text('allow_origins = ["a.example"]\nmax_age = -1\n')
    with pytest.raises(ConfigError) as caught:
        PolicyRef.from_file(str(file))
    assert len(caught.value.problems) == 2


def test_a_file_is_read_again_when_it_changes(file: Path, caplog: pytest.LogCaptureFixture) -> None:
    ref = PolicyRef.from_file(file, watch=True)
    try:
        _write(file, f'allow_origins = ["{B}"]\n')
        _wait(lambda: ref.policy == Policy(allow_origins=[B]))
        # The file has two problems: the policy stays, and both are logged.
        _write(file, 'allow_origins = ["nonsense"]\nmax_age = -1\n')
        _wait(lambda: "2 problems" in caplog.text)
        assert ref.policy == Policy(allow_origins=[B])
        assert "cors.toml is broken" in caplog.text
        _write(file, "allow_origins = [")
        _wait(lambda: "file-unreadable" in caplog.text)
        assert ref.policy == Policy(allow_origins=[B])
        # Editors and Kubernetes replace the file by another one.
        other = file.with_suffix(".new")
        other.write_text(f'allow_origins = ["{A}"]\n')
        other.replace(file)
        _wait(lambda: ref.policy == Policy(allow_origins=[A]))
    finally:
        ref.close()


def test_a_file_behind_a_changed_link_is_read_again(file: Path, tmp_path: Path) -> None:
    """A mounted ConfigMap: ``cors.toml`` -> ``..data/cors.toml``, ``..data`` -> a folder."""
    volume = tmp_path / "volume"
    for name, origin in (("..1", A), ("..2", B)):
        (volume / name).mkdir(parents=True)
        (volume / name / "cors.toml").write_text(f'allow_origins = ["{origin}"]\n')
    (volume / "..data").symlink_to("..1")
    (volume / "cors.toml").symlink_to("..data/cors.toml")
    ref = PolicyRef.from_file(volume / "cors.toml", watch=True)
    try:
        assert ref.policy == Policy(allow_origins=[A])
        (volume / "..data_tmp").symlink_to("..2")
        (volume / "..data_tmp").replace(volume / "..data")
        _wait(lambda: ref.policy == Policy(allow_origins=[B]))
    finally:
        ref.close()


def test_a_missing_file_is_reported_once(file: Path, caplog: pytest.LogCaptureFixture) -> None:
    policy, content = read_policy(file)
    ref = PolicyRef(policy)
    watcher = FileWatcher(file, content)
    file.unlink()
    for _ in range(3):
        assert watcher._read_again(ref)
    assert [record.levelname for record in caplog.records] == ["ERROR"]
    file.write_text(f'allow_origins = ["{B}"]\n')
    assert watcher._read_again(ref)
    assert ref.policy == Policy(allow_origins=[B])


def test_building_an_application_starts_no_thread(file: Path) -> None:
    ref = PolicyRef.from_file(file, watch=True)
    WSGIMiddleware(_wsgi_app, ref)
    assert ref.diff(TWO)
    repr(ref)
    assert not _watching_threads()
    ref.close()
    assert ref.policy == Policy(allow_origins=[A], max_age=5)
    assert not _watching_threads()


def test_a_reference_that_is_gone_is_not_watched(file: Path) -> None:
    ref = PolicyRef.from_file(file, watch=True)
    assert ref.policy is not None
    assert _watching_threads()
    gone = weakref.ref(ref)
    del ref
    gc.collect()
    assert gone() is None
    _wait(lambda: not _watching_threads())


FORK = """
import logging, os, sys, time
from corscore import Policy, PolicyRef

logging.basicConfig(level=logging.INFO, format="%(message)s", stream=sys.stdout)
told = []
# Behind the handler that prints: what is in the list is printed.
logging.getLogger().addHandler(logging.Handler())
logging.getLogger().handlers[-1].emit = lambda record: told.append(record.getMessage())
path, before, after = sys.argv[1:]
ref = PolicyRef.from_file(path, watch=True)
assert ref.policy.allows_origin(before)
# What another thread of the parent process holds stays held in a child.
ref._lock = type("Held", (), {"__enter__": lambda self: time.sleep(60)})()
child = os.fork()
if not child:
    with open(path, "w") as file:
        file.write(f'allow_origins = ["{after}"]')
    # The first look at it reads the file, and later ones follow it.
    assert ref.policy.allows_origin(after), ref.policy
    with open(path, "w") as file:
        file.write(f'allow_origins = ["{before}"]')
    give_up = time.monotonic() + 20
    # One line of the parent process, and one for each of the two files here.
    while not ref.policy.allows_origin(before) or sum(" serves " in line for line in told) < 3:
        assert time.monotonic() < give_up
        time.sleep(0.05)
    os._exit(0)
assert os.waitpid(child, 0)[1] == 0
"""


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork on this platform")
def test_a_forked_process_watches_the_file(file: Path) -> None:
    done = subprocess.run(
        # Python 3.12 warns of a fork beside threads, which this test needs.
        [sys.executable, "-W", "ignore", "-c", FORK, str(file), A, B],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    served = [line.split()[1] for line in done.stdout.splitlines() if " serves " in line]
    assert len(served) >= 3
    assert len(set(served)) == 2


PRELOADED = """
import logging, os, sys
from corscore import PolicyRef
from corscore_wsgi import CORSMiddleware

logging.basicConfig(level=logging.INFO, format="%(message)s")


def app(environ, start_response):
    start_response("200 OK", [("Content-Type", "text/plain")])
    return [str(os.getpid()).encode()]


application = CORSMiddleware(app, PolicyRef.from_file("cors.toml", watch=True))
"""


_UWSGI = "pyuwsgi --http-socket 127.0.0.1:{port} --master --processes 2 --need-app --die-on-term"
PRELOADING = {
    "gunicorn": "gunicorn --preload --workers 2 --threads 2 --bind 127.0.0.1:{port} preloaded",
    "uWSGI": f"{_UWSGI} --module preloaded",
    "uWSGI with threads": f"{_UWSGI} --threads 2 --module preloaded",
}


@pytest.mark.parametrize("command", PRELOADING.values(), ids=PRELOADING)
def test_every_worker_of_a_preloaded_server_follows_the_file(file: Path, command: str) -> None:
    package, *arguments = command.split()
    if importlib.util.find_spec(package) is None:
        pytest.skip(f"{package} is not installed")
    (file.parent / "preloaded.py").write_text(PRELOADED)
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    log = file.parent / "log"
    with log.open("wb") as output:
        server = subprocess.Popen(
            [
                # Both programs are beside the interpreter.
                str(Path(sys.executable).with_name(package)),
                *(argument.format(port=port) for argument in arguments),
            ],
            cwd=file.parent,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
        )
    served: dict[str, str | None] = {}

    def ask() -> dict[str, str | None]:
        assert server.poll() is None, log.read_text("utf-8", "replace")
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
        try:
            connection.request("GET", "/", headers={"Origin": A})
            response = connection.getresponse()
            served[response.read().decode()] = response.getheader("Access-Control-Allow-Origin")
        except OSError:
            return {}
        finally:
            connection.close()
        return served

    try:
        _wait(lambda: list(ask().values()) == [A, A])
        _write(file, f'allow_origins = ["{B}"]\n')
        _wait(lambda: list(ask().values()) == [None, None])
    finally:
        server.terminate()
        server.wait(30)
    lines = log.read_text("utf-8", "replace").splitlines()
    for process in served:
        assert len([line for line in lines if line.startswith(f"process {process} serves")]) == 2


def _watching_threads() -> list[threading.Thread]:
    return [thread for thread in threading.enumerate() if thread.name == "corscore-policy-file"]


def _write(path: Path, text: str) -> None:
    path.write_text(text)


def _wait(condition: Callable[[], bool]) -> None:
    give_up = time.monotonic() + 30
    while not condition():
        assert time.monotonic() < give_up, "the condition did not hold in time"
        time.sleep(0.01)


def _scope() -> Any:
    return http_scope("GET", "https://api.example/", [("Origin", A)])


async def _never() -> Any:
    pytest.fail("it was called")


def _cors(sent: list[Any]) -> dict[str, list[str]]:
    return cors_of((name.decode(), value.decode()) for name, value in sent[0]["headers"])


def _wsgi_app(environ: Any, start_response: Any) -> list[bytes]:
    start_response("200 OK", [])
    return []
