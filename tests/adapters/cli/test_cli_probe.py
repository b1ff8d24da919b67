"""``corscore probe``: what it sends, what it prints, and its exit codes."""

from __future__ import annotations

import json
import os
import shlex
import shutil
import signal
import socket
import subprocess
import sys
import threading
from contextlib import ExitStack, contextmanager, suppress
from datetime import datetime, timedelta, timezone
from ipaddress import ip_address
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from cli_runs import run
from corscore.browser import Request
from corscore.diagnostics import NoResponse
from corscore.diagnostics import probe as probe_server
from corscore_asgi import CORSMiddleware
from corscore_cli.shell.http import open_transport
from pitfall_servers import ORIGIN, answers, asgi, fastapi_app
from servers import serve

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from click.testing import Result

_STAR = {"Access-Control-Allow-Origin": "*"}
SAFE = {"GET", "HEAD", "OPTIONS"}


def invoke(*args: str) -> Result:
    return run("probe", *args)


def report(*args: str) -> dict[str, Any]:
    loaded: dict[str, Any] = json.loads(invoke(*args, "--origin", ORIGIN, "--json").stdout)
    return loaded


@pytest.fixture(autouse=True)
def no_proxies(monkeypatch: pytest.MonkeyPatch) -> None:
    """Use no proxy of this machine."""
    for name in ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.lower(), raising=False)


class Recorder:
    """An ASGI application that keeps what it was sent."""

    def __init__(self, app: Any) -> None:
        self.app = app
        self.requests: list[tuple[str, str, dict[str, str]]] = []

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        headers = {name.decode(): value.decode() for name, value in scope["headers"]}
        self.requests.append((scope["method"], scope["path"], headers))
        await self.app(scope, receive, send)


def allowing_everything() -> Any:
    return CORSMiddleware(
        fastapi_app(),
        allow_origins=[ORIGIN],
        allow_credentials=True,
        allow_methods=["PUT"],
        allow_headers=["Authorization", "Content-Type"],
    )


# --- what it sends


def test_the_probe_sends_the_requests_of_a_browser() -> None:
    recorder = Recorder(allowing_everything())
    with asgi(recorder) as base:
        told = report(f"{base}/ok", "--method", "PUT", "--header", "Content-Type")
    assert told["readable"]
    (preflight, _, asked), (method, path, sent) = recorder.requests[:2]
    assert (preflight, method, path) == ("OPTIONS", "PUT", "/ok")
    assert asked["access-control-request-method"] == "PUT"
    assert asked["access-control-request-headers"] == "content-type"
    assert asked["origin"] == sent["origin"] == ORIGIN
    assert sent["content-type"] == "application/json"
    assert "access-control-request-method" not in sent


@pytest.mark.parametrize("audit", [(), ("--audit",)], ids=["", "audit"])
def test_credentials_are_never_sent(audit: tuple[str, ...]) -> None:
    async def with_cookie(scope: Any, receive: Any, send: Any) -> None:
        async def sending(message: Any) -> None:
            if message["type"] == "http.response.start":
                message["headers"].append((b"set-cookie", b"session=1; Path=/"))
            await send(message)

        await allowing_everything()(scope, receive, sending)

    recorder = Recorder(with_cookie)
    args = ("--method", "PUT", "--header", "Authorization: Bearer secret", "--credentials", *audit)
    with asgi(recorder) as base:
        told = report(f"{base}/ok", *args, "--header", "Cookie: session=1")
    assert told["readable"]
    assert recorder.requests[0][2]["access-control-request-headers"] == "authorization"
    for _, _, headers in recorder.requests:
        assert not {"authorization", "cookie", "proxy-authorization"} & headers.keys()
    assert "secret" not in json.dumps(told)
    assert told["notes"][:2] == [
        "Authorization was named in the preflight and never sent: a 401 may be due to that.",
        "No cookies were sent: the answer to a visitor who has some may differ.",
    ]


def test_the_audit_sends_safe_methods_only() -> None:
    recorder = Recorder(fastapi_app())
    with asgi(recorder) as base:
        report(f"{base}/ok", "--method", "DELETE", "--audit")
    assert {method for method, _, _ in recorder.requests} <= SAFE


def test_an_unsafe_request_goes_out_once() -> None:
    recorder = Recorder(allowing_everything())
    with asgi(recorder) as base:
        report(f"{base}/ok", "--method", "PUT", "--audit")
    assert [method for method, _, _ in recorder.requests].count("PUT") == 1
    assert len(recorder.requests) < 40


def test_a_redirect_is_followed_as_browsers_do() -> None:
    app = CORSMiddleware(fastapi_app(), allow_origins=[ORIGIN])
    with asgi(app) as base:
        told = report(f"{base}/moved?to=/ok")
    assert told["readable"]
    assert [step["status"] for step in told["steps"] if step["name"] == "request-sent"] == [
        307,
        200,
    ]
    assert told["steps"][-1]["url"] == f"{base}/ok"


@pytest.mark.parametrize("method", ["patch", "PATCH", "query"])
def test_a_method_goes_out_as_the_script_writes_it(method: str) -> None:
    app = CORSMiddleware(fastapi_app(), allow_origins=[ORIGIN], allow_methods=["*"])
    recorder = Recorder(app)
    with asgi(recorder) as base:
        report(f"{base}/ok", "--method", method)
    assert recorder.requests[1][0] == method


LOCATIONS = [
    ("data:text/html,x", "redirect-invalid"),
    ("javascript:alert(1)", "redirect-invalid"),
    ("file:///etc/passwd", "redirect-invalid"),
    ("http://[::1", "redirect-invalid"),
    ("http://a\x1b[31m.example/", "redirect-invalid"),
    ("http:ok", None),
]


@pytest.mark.parametrize(("location", "reason"), LOCATIONS, ids=[row[0] for row in LOCATIONS])
def test_a_redirect_is_judged_by_the_model_alone(location: str, reason: str | None) -> None:
    head = f"HTTP/1.1 302 Found\r\nAccess-Control-Allow-Origin: *\r\nLocation: {location}\r\n"

    def answer(connection: socket.socket) -> bytes:
        redirected = b"/start" not in connection.recv(65536)
        return head.replace("302", "200" if redirected else "302").encode()

    with raw_server(lambda connection: answer(connection) + b"Content-Length: 0\r\n\r\n") as base:
        assert report(f"{base}/start")["reason"] == reason
        asked = report(f"{base}/start", "--method", "PUT")
    assert asked["reason"] == "preflight-redirected"


def test_a_password_in_a_redirect_is_not_sent() -> None:
    """Browsers follow such a redirect within one origin."""

    async def app(scope: Any, receive: Any, send: Any) -> None:
        host = dict(scope["headers"])[b"host"]
        is_start = scope["path"] == "/start"
        headers = [(b"location", b"http://me:secret@" + host + b"/end")] if is_start else []
        status = 302 if is_start else 200
        await send({"type": "http.response.start", "status": status, "headers": headers})
        await send({"type": "http.response.body"})

    recorder = Recorder(app)
    with asgi(recorder) as base:
        told = json.loads(invoke(f"{base}/start", "--origin", base, "--json").stdout)
    assert told["readable"]
    assert [path for _, path, _ in recorder.requests] == ["/start", "/end"]
    assert not any("authorization" in headers for _, _, headers in recorder.requests)
    assert not any("secret" in step["curl"] for step in told["steps"])


# --- what it prints


def test_a_redirect_without_headers_says_where_to_go() -> None:
    with asgi(answers(301, ("Location", "/elsewhere"), on="*")) as base:
        told = report(f"{base}/ok")
    assert told["reason"] == "no-allow-origin"
    assert "ask for the URL that the redirect leads to" in told["hint"]


def test_a_cookie_is_never_exposed() -> None:
    cookie = {**_STAR, "Set-Cookie": "a=b", "Access-Control-Expose-Headers": "*"}
    request = Request("GET", "http://api.example.com/", origin=ORIGIN)
    told = probe_server(request, lambda *_: (200, cookie), reads=["Set-Cookie"])
    assert told.reason == "header-not-exposed"
    assert told.hint is not None
    assert "whatever is exposed" in told.hint


@pytest.mark.parametrize(
    ("value", "found"), [("bytes 0-1/3", []), ("posts 0-24/319", ["header-not-exposed"])]
)
def test_a_part_of_a_file_is_no_page_of_a_list(value: str, found: list[str]) -> None:
    request = Request("GET", "http://api.example.com/", origin=ORIGIN)
    told = probe_server(request, lambda *_: (206, {**_STAR, "Content-Range": value}))
    assert [one.code for one in told.findings] == found


def test_the_json_has_the_steps_and_what_is_readable() -> None:
    app = CORSMiddleware(fastapi_app(), allow_origins=[ORIGIN], allow_methods=["PUT"])
    with asgi(app) as base:
        told = report(f"{base}/ok", "--method", "PUT")
    assert told.keys() >= {"readable", "reason", "exposed", "steps", "findings"}
    assert (told["readable"], told["reason"], told["findings"]) == (True, None, [])
    assert told["exposed"] == ["content-length", "content-type"]
    assert [step["name"] for step in told["steps"]] == [
        "preflight-needed",
        "preflight-sent",
        "preflight-status",
        "allow-origin",
        "preflight-method",
        "request-sent",
        "allow-origin",
        "response-readable",
    ]
    methods = [step["method"] for step in told["steps"]]
    assert methods == ["OPTIONS"] * 5 + ["PUT"] * 3
    assert {step["status"] for step in told["steps"]} == {200, 204}


def test_a_finding_has_code_message_hint_and_place() -> None:
    with asgi(fastapi_app()) as base:
        (found,) = report(f"{base}/ok")["findings"]
    assert found.keys() == {"code", "message", "hint", "place"}
    assert found["code"] == "app-without-cors"
    assert found["place"] == f"{base}/ok"


def test_the_lines_repeat_the_steps() -> None:
    """A shell runs each line, and the server gets the same request as from the command."""
    recorder = Recorder(fastapi_app())
    with asgi(recorder) as base:
        told = report(f"{base}/ok?q=a'b;$(c)", "--method", "PUT", "--header", "X-One: it's")
        before = len(recorder.requests)
        line = told["steps"][0]["curl"]
        words = shlex.split(line)
        assert words[0] == "curl"
        if shutil.which("curl") is None:
            pytest.skip("there is no curl")
        subprocess.run(["/bin/sh", "-c", line], check=True, capture_output=True, timeout=60)
    (method, path, headers) = recorder.requests[before]
    asked = recorder.requests[0][2]
    ours = {name for name in asked if name.startswith("access-control") or name == "origin"}
    assert (method, path) == ("OPTIONS", "/ok")
    assert {name: headers[name] for name in ours} == {name: asked[name] for name in ours}


def test_the_text_has_verdict_cause_fix_and_lines() -> None:
    with asgi(fastapi_app()) as base:
        result, with_sections = (
            invoke(f"{base}/ok", "--origin", ORIGIN, "--method", "PUT", *steps)
            for steps in ([], ["--steps"])
        )
    assert result.exit_code == 1
    assert "fetch.spec.whatwg.org" not in result.output
    assert "fetch.spec.whatwg.org" in with_sections.output
    for expected in (
        "Not readable: preflight-not-ok",
        "Finding: preflight-not-handled",
        "Fix: ",
        "corscore code preflight-not-handled",
        "curl -sS",
        "What the console says",
    ):
        assert expected in result.output
    assert "\x1b" not in result.output


def test_the_text_says_what_a_script_can_read() -> None:
    with asgi(CORSMiddleware(fastapi_app(), allow_origins=[ORIGIN])) as base:
        result = invoke(f"{base}/ok", "--origin", ORIGIN)
    assert result.exit_code == 0
    assert "Readable: 200" in result.output
    assert "A script can read: content-length, content-type" in result.output
    assert "Finding" not in result.output


@pytest.mark.parametrize(
    ("origin", "options", "code", "said"),
    [
        (ORIGIN, ["--expect-allowed"], 0, ""),
        (ORIGIN, ["--expect-refused"], 1, "Expected: refused. Got: allowed.\n"),
        (
            ORIGIN,
            ["--expect-allowed", "--reads", "X-Hidden"],
            1,
            "Expected: allowed. Got: refused.\n",
        ),
        ("https://evil.example", ["--expect-allowed"], 1, "Expected: allowed. Got: refused.\n"),
        ("https://evil.example", ["--expect-refused"], 0, ""),
    ],
)
def test_the_expected_outcome_decides_the_exit_code(
    origin: str, options: list[str], code: int, said: str
) -> None:
    with asgi(CORSMiddleware(fastapi_app(), allow_origins=[ORIGIN])) as base:
        result = invoke(f"{base}/ok", "--origin", origin, *options)
    assert (result.exit_code, result.stderr) == (code, said)


@pytest.mark.parametrize("expected", ["allowed", "refused"])
def test_no_response_is_no_refusal(expected: str) -> None:
    url = f"http://127.0.0.1:{free_port()}/"
    result = invoke(url, "--origin", ORIGIN, f"--expect-{expected}")
    assert (result.exit_code, result.stderr) == (1, f"Expected: {expected}. Got: no response.\n")


def test_the_text_says_that_a_header_is_hidden() -> None:
    with asgi(CORSMiddleware(fastapi_app(), allow_origins=[ORIGIN])) as base:
        result = invoke(f"{base}/ok", "--origin", ORIGIN, "--reads", "X-Total-Count")
    assert result.exit_code == 1
    assert "Readable in part: header-not-exposed" in result.output
    assert "curl" in result.output


def test_the_text_of_a_server_is_escaped_for_the_terminal() -> None:
    # h11 refuses to send it, so a plain socket does.
    with raw_server(
        b"HTTP/1.1 200 OK\r\nAccess-Control-Allow-Origin: https://a.example/\x9b31m\xc2\x9b\r\n"
        b"Content-Length: 0\r\n\r\n"
    ) as base:
        text = invoke(f"{base}/", "--origin", ORIGIN).output
        plain = invoke(f"{base}/", "--origin", ORIGIN, "--json").output
    assert "origin-mismatch" in text
    for output in (text, plain):
        assert not [char for char in output if ord(char) in (0x1B, 0x9B)]


# --- how it ends


@pytest.mark.parametrize(
    ("args", "told"),
    [
        (["ftp://api.example.com/", "--origin", ORIGIN], "is not an absolute HTTP(S) URL"),
        (["api.example.com", "--origin", ORIGIN], "is not an absolute HTTP(S) URL"),
        (["http://u:p@api.example.com/", "--origin", ORIGIN], "user name or password"),
        (["http://api.example.com/", "--origin", f"{ORIGIN}/"], f'write "{ORIGIN}"'),
        (["http://api.example.com/", "--origin", "app.example.com"], "is not an origin"),
        (["http://api.example.com/", "--origin", ORIGIN, "--method", "TRACE"], "forbidden"),
        (["http://api.example.com/", "--origin", ORIGIN, "--method", "A B"], "must be a token"),
        (["http://api.example.com/", "--origin", ORIGIN, "--header", "a b: c"], "not a header"),
        (["http://api.example.com/", "--origin", ORIGIN, "--timeout", "0"], "--timeout"),
        (["http://api.example.com/", "--origin", ORIGIN, "--timeout", "nan"], "--timeout"),
        (["http://api.example.com/", "--origin", ORIGIN, "--reads", "a b"], "--reads"),
        (["http://api.example.com/"], "--origin"),
    ],
)
def test_a_mistake_ends_with_2(args: list[str], told: str) -> None:
    result = invoke(*args)
    assert result.exit_code == 2
    assert told in result.stderr
    assert result.stdout == ""
    assert "Traceback" not in result.stderr


def test_a_proxy_that_is_none_ends_with_2(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTP_PROXY", "nonsense://x")
    result = invoke("http://api.example.com/", "--origin", ORIGIN)
    assert result.exit_code == 2
    assert "proxy" in result.stderr


def test_cors_does_not_apply_to_the_pages_own_origin() -> None:
    with asgi(fastapi_app()) as base:
        result = invoke(f"{base}/ok", "--origin", base, "--audit", "--json")
    told = json.loads(result.stdout)
    assert result.exit_code == 0
    assert told["readable"]
    assert "own origin" in told["notes"][0]


@pytest.mark.parametrize(
    ("origin", "url", "words"),
    [
        (ORIGIN, "http://api.example.com/", "mixed content"),
        (ORIGIN, "http://127.0.0.1:8000/", "asks the user"),
        (ORIGIN, "https://[::1]/", "asks the user"),
        (ORIGIN, "http://192.168.1.2/", "asks the user first, unless"),
        (ORIGIN, "http://93.184.216.34/", "mixed content"),
        ("http://192.168.1.2", "http://192.168.1.3/", None),
        ("http://192.168.1.2", "http://127.0.0.1:8000/", "visitor's own machine"),
        (ORIGIN, "https://api.example.com/", None),
        ("http://app.example.com", "http://api.example.com/", None),
        ("http://localhost:3000", "http://127.0.0.1:8000/", None),
        ("http://localhost:3000", "http://api.example.com/", None),
        ("null", "http://api.example.com/", None),
        ("http://127.0.0.1:8000", "http://127.0.0.1:8000/", "own origin"),
    ],
)
def test_an_earlier_obstacle_than_cors_is_a_note(origin: str, url: str, words: str | None) -> None:
    told = probe_server(Request("GET", url, origin=origin), lambda *_: (200, _STAR))
    assert told.healthy
    assert len(told.notes) == (words is not None)
    assert all(words in note for note in told.notes if words is not None)


def test_a_redirect_to_http_is_mixed_content() -> None:
    answers = {
        "https://api.example.com/": (302, {**_STAR, "Location": "http://api.example.com/"}),
        "http://api.example.com/": (200, _STAR),
    }
    request = Request("GET", "https://api.example.com/", origin=ORIGIN)
    told = probe_server(request, lambda method, url, headers: answers[url])
    assert "mixed content" in told.notes[0]


# --- no response


@contextmanager
def raw_server(answer: bytes | Callable[[socket.socket], bytes] | None) -> Iterator[str]:
    """A socket that sends always the same bytes, or those that a function makes of a request.

    With None it sends nothing, and keeps the connection.
    """
    stop = threading.Event()

    def run(listener: socket.socket) -> None:
        with ExitStack() as connections:
            while not stop.is_set():
                with suppress(OSError):
                    connection = connections.enter_context(listener.accept()[0])
                    if callable(answer):
                        connection.sendall(answer(connection))
                        connection.close()
                    elif answer is not None:
                        connection.recv(65536)
                        connection.sendall(answer)
                        connection.close()

    with socket.create_server(("127.0.0.1", 0)) as listener:
        listener.settimeout(0.1)
        thread = threading.Thread(target=run, args=(listener,), daemon=True)
        thread.start()
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"
        stop.set()
        thread.join()


@pytest.fixture
def silent() -> Iterator[str]:
    with raw_server(None) as base:
        yield base


def failed(url: str, *args: str) -> dict[str, Any]:
    result = invoke(url, "--origin", ORIGIN, "--json", *args)
    assert result.exit_code == 1, result.output
    told: dict[str, Any] = json.loads(result.stdout)
    assert told["readable"] is False
    assert told["steps"][-1]["ok"] is False
    assert told["steps"][-1]["status"] is None
    assert "CORS is not the cause" in told["message"]
    return told


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port: int = listener.getsockname()[1]
    return port


@pytest.mark.parametrize("method", ["GET", "PUT"])
def test_a_port_without_a_server_is_a_network_error(method: str) -> None:
    told = failed(f"http://127.0.0.1:{free_port()}/", "--method", method)
    assert told["reason"] == "network-error"
    assert "no server listens" in told["message"]
    assert told["steps"][-1]["method"] == ("OPTIONS" if method == "PUT" else "GET")


def test_a_proxy_that_refuses_is_a_network_error(monkeypatch: pytest.MonkeyPatch) -> None:
    with raw_server(b"HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\n\r\n") as proxy:
        monkeypatch.setenv("HTTPS_PROXY", proxy)
        told = failed("https://api.example.com/")
    assert told["reason"] == "network-error"
    assert "the proxy" in told["message"]


def test_an_unknown_name_is_a_network_error() -> None:
    told = failed("http://nobody.invalid/")
    assert told["reason"] == "network-error"
    assert "name" in told["message"]


def test_no_answer_in_time_is_a_network_error(silent: str) -> None:
    told = failed(f"{silent}/", "--timeout", "0.3")
    assert told["reason"] == "network-error"
    assert "within 0.3 s" in told["message"]


# A background process of a shell ignores SIGINT, and so do its children.
_INTERRUPTIBLE = """
import signal, sys
signal.signal(signal.SIGINT, signal.default_int_handler)
from corscore_cli import main
sys.argv[0] = "corscore"
main()
"""


@pytest.mark.skipif(os.name != "posix", reason="signals are sent another way")
def test_an_interrupt_does_not_wait_for_the_answer() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        url = f"http://127.0.0.1:{listener.getsockname()[1]}/"
        words = ["probe", url, "--origin", ORIGIN, "--timeout", "600"]
        command = [sys.executable, "-c", _INTERRUPTIBLE, *words]
        with subprocess.Popen(command, stderr=subprocess.PIPE, text=True) as process:
            listener.settimeout(60)
            connection, _ = listener.accept()
            with connection:
                connection.recv(65536)
                process.send_signal(signal.SIGINT)
                _, said = process.communicate(timeout=60)
    assert process.returncode == 1
    assert "Traceback" not in said


def test_an_answer_that_drips_ends_in_time() -> None:
    """Each byte comes within the time limit of one read."""

    def drip(listener: socket.socket) -> None:
        connection, _ = listener.accept()
        with connection:
            try:
                connection.sendall(b"HTTP/1.1 200 OK\r\nX-Slow: ")
                while not stop.wait(0.05):
                    connection.sendall(b"a")
            except OSError:
                pass

    stop = threading.Event()
    with socket.create_server(("127.0.0.1", 0)) as listener:
        thread = threading.Thread(target=drip, args=(listener,), daemon=True)
        thread.start()
        told = failed(f"http://127.0.0.1:{listener.getsockname()[1]}/", "--timeout", "0.5")
        stop.set()
        thread.join()
    assert told["reason"] == "network-error"


def test_all_requests_together_end_in_time() -> None:
    with asgi(answers(200)) as base, open_transport(10, 0) as send:
        told = probe_server(Request("GET", base, origin=ORIGIN), send)
    assert told.reason == "network-error"


@pytest.mark.parametrize(
    "answer",
    [
        b"nonsense\r\n\r\n",
        b"",
        b"HTTP/1.1 200 OK\r\n" + b"X-Large: " + b"a" * 200_000 + b"\r\n\r\n",
    ],
    ids=["no HTTP", "nothing", "large headers"],
)
def test_an_answer_that_is_not_http_is_a_network_error(answer: bytes) -> None:
    with raw_server(answer) as base:
        told = failed(f"{base}/")
    assert told["reason"] == "network-error"


def test_a_body_is_not_read() -> None:
    """A response whose body never ends is judged by its headers."""
    answer = f"HTTP/1.1 200 OK\r\nAccess-Control-Allow-Origin: {ORIGIN}\r\nVary: Origin\r\n"
    with raw_server(f"{answer}Content-Length: 1000000000\r\n\r\nstart".encode()) as base:
        result = invoke(f"{base}/", "--origin", ORIGIN, "--json")
    assert json.loads(result.stdout)["readable"]
    assert result.exit_code == 0


def test_a_redirect_without_an_answer_keeps_the_steps_before_it() -> None:
    """The server answers the redirect, and none answers its target: the steps have both."""
    app = CORSMiddleware(fastapi_app(), allow_origins=[ORIGIN])
    with asgi(app) as base:
        told = failed(f"{base}/moved?to=http://127.0.0.1:{free_port()}/")
    assert told["reason"] == "network-error"
    names = [step["name"] for step in told["steps"]]
    assert names == ["preflight-needed", "request-sent", "allow-origin", "redirect", "response"]


# --- TLS


def certificate(folder: Path, name: str, days: int) -> tuple[str, str]:
    """Write a self-signed certificate for a name that is valid for some days, and its key."""
    from cryptography import x509
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import ec

    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, name)])
    now = datetime.now(timezone.utc)
    is_address = name[0].isdigit()
    who = x509.IPAddress(ip_address(name)) if is_address else x509.DNSName(name)
    signed = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=30))
        .not_valid_after(now + timedelta(days=days))
        .add_extension(x509.SubjectAlternativeName([who]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .sign(key, hashes.SHA256())
    )
    paths = folder / "cert.pem", folder / "key.pem"
    paths[0].write_bytes(signed.public_bytes(serialization.Encoding.PEM))
    paths[1].write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
    )
    return str(paths[0]), str(paths[1])


@pytest.mark.parametrize(
    ("name", "days", "is_trusted", "told"),
    [
        ("127.0.0.1", 30, False, "self-signed"),
        ("127.0.0.1", -1, True, "out of date"),
        ("other.example.com", 30, True, "for another"),
    ],
)
def test_a_refused_certificate_is_explained(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    name: str,
    days: int,
    is_trusted: bool,
    told: str,
) -> None:
    cert, key = certificate(tmp_path, name, days)
    if is_trusted:
        monkeypatch.setenv("SSL_CERT_FILE", cert)
    with serve(fastapi_app(), lifespan="off", ssl_certfile=cert, ssl_keyfile=key) as served:
        report = failed(f"https://127.0.0.1:{served.port}/ok")
    assert report["reason"] == "tls-error"
    assert told in report["message"]


def test_a_certificate_of_the_environment_is_trusted(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    cert, key = certificate(tmp_path, "127.0.0.1", 30)
    monkeypatch.setenv("SSL_CERT_FILE", cert)
    app = CORSMiddleware(fastapi_app(), allow_origins=[ORIGIN])
    with serve(app, lifespan="off", ssl_certfile=cert, ssl_keyfile=key) as served:
        assert report(f"https://127.0.0.1:{served.port}/ok")["readable"]


def test_a_port_without_tls_is_a_tls_error() -> None:
    with asgi(fastapi_app()) as base:
        told = failed(f"{base.replace('http', 'https')}/ok")
    assert told["reason"] == "tls-error"
    assert "does not speak TLS" in told["message"]
    assert told["hint"] == f"write {base}/ok"


def test_a_transport_raises_nothing_else() -> None:
    with open_transport(5, 5) as send, pytest.raises(NoResponse) as caught:
        send("GET", "http://[::1", [])
    assert caught.value.code == "network-error"


def test_probe_predicts_the_browser_that_is_named() -> None:
    recorder = Recorder(CORSMiddleware(fastapi_app(), allow_origins=[ORIGIN]))
    with asgi(recorder) as base:
        told = report(f"{base}/ok", "--header", "DPR: 2", "--browser", "chromium")
    assert told["readable"]
    assert "takes other steps than the standard" in told["message"]
    method, _, headers = recorder.requests[0]
    assert (method, headers["dpr"]) == ("GET", "2")
