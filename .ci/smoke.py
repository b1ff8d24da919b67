"""Asks an installed corscore through uvicorn, `flask run` and `runserver`, as a browser would.

Run it with the interpreter that has it: `python .ci/smoke.py`. The ports are the system's choice.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
import tempfile
import threading
import urllib.error
import urllib.request
from collections import deque
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

APP = "https://app.example.com"
FILES = {
    "fastapi_app.py": f"""
from fastapi import FastAPI
from corscore_starlette import install
app = FastAPI()
install(app, allow_origins=["{APP}"], allow_methods=["PUT"])
@app.get("/")
def root(): return "fine"
""",
    "flask_app.py": f"""
from flask import Flask
from corscore_flask import CORS
app = Flask(__name__)
CORS(app, origins=["{APP}"])
@app.get("/")
def root(): return "fine"
""",
    "django_app.py": f"""
from django.http import HttpResponse
from django.urls import path
SECRET_KEY = "for this test"
ROOT_URLCONF = __name__
INSTALLED_APPS = ["corscore_django"]
MIDDLEWARE = ["corscore_django.middleware.CorsMiddleware"]
ALLOWED_HOSTS = ["127.0.0.1"]
CORS_ALLOWED_ORIGINS = ["{APP}"]
urlpatterns = [path("", lambda request: HttpResponse("fine"))]
""",
}
SERVERS = {
    "uvicorn": ["-m", "uvicorn", "fastapi_app:app", "--port", "0"],
    "flask run": ["-m", "flask", "--app", "flask_app", "run", "--port", "0"],
    "runserver": ["-m", "django", "runserver", "--noreload", "--settings", "django_app", "0"],
}
ADDRESS = re.compile(r"http://127\.0\.0\.1:[1-9][0-9]*")
SECONDS = 60
# The status of a preflight differs between adapters: each keeps that of the library whose options
# it takes.
ALLOWED = ([(200, APP), (204, APP)], [(200, APP), (200, APP)])


@contextmanager
def serve(arguments: list[str], folder: Path) -> Iterator[str]:
    """Start a server, and yield the address that it prints."""
    process = subprocess.Popen(  # noqa: S603 - our own interpreter
        [sys.executable, *arguments],
        cwd=folder,
        env={**os.environ, "PYTHONUNBUFFERED": "1", "PYTHONPATH": str(folder)},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    assert process.stdout is not None  # noqa: S101 - it is a pipe
    lines: deque[str] = deque(maxlen=40)
    timer = threading.Timer(SECONDS, process.kill)
    timer.start()
    try:
        for line in process.stdout:
            lines.append(line)
            if found := ADDRESS.search(line):
                # A full pipe would stop the server.
                threading.Thread(target=process.stdout.read, daemon=True).start()
                yield found[0]
                return
        raise SystemExit(f"{arguments} ended before it listened:\n{''.join(lines)}")
    finally:
        timer.cancel()
        process.kill()
        process.wait()


def ask(url: str, method: str, **headers: str) -> tuple[int, str | None]:
    """Return the status, and which origin may read the response."""
    sent = {name.replace("_", "-"): value for name, value in headers.items()}
    request = urllib.request.Request(url, method=method, headers=sent)  # noqa: S310 - our own server
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    try:
        with opener.open(request, timeout=SECONDS) as response:
            return response.status, response.headers["Access-Control-Allow-Origin"]
    except urllib.error.HTTPError as error:
        with error:
            return error.code, error.headers["Access-Control-Allow-Origin"]


def main() -> None:
    """Ask each server for what is allowed and what is not."""
    import corscore
    from corscore._engine import matcher

    if os.environ.get("CORSCORE_REQUIRE_EXTENSION") and matcher.IMPLEMENTATION != "cython":
        raise SystemExit("the compiled modules are missing")
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        for file, text in FILES.items():
            (folder / file).write_text(text, encoding="utf-8")
        for server, arguments in SERVERS.items():
            with serve(arguments, folder) as url:
                announced = {"Access_Control_Request_Method": "PUT"}
                got = [
                    ask(url, "GET", Origin=APP),
                    ask(url, "GET", Origin="https://evil.example"),
                    ask(url, "OPTIONS", Origin=APP, **announced),
                    ask(url, "OPTIONS", Origin="https://evil.example", **announced),
                ]
            refused = [(200, None), (403, None)]
            if got[::2] not in ALLOWED or got[1::2] != refused:
                raise SystemExit(f"{server}: {got}")
        subprocess.run(
            [sys.executable, "-m", "corscore_cli", "check", "fastapi_app:app"],
            cwd=folder,
            check=True,
            stdout=subprocess.DEVNULL,
        )
    version = "{}.{}.{}".format(*sys.version_info)
    sys.stdout.write(
        f"corscore {corscore.__version__} ({matcher.IMPLEMENTATION}) on Python {version}: "
        f"{', '.join(SERVERS)} answer\n"
    )


if __name__ == "__main__":
    main()
