"""Path policies in front of real file servers: each file has its own policy, or no origin."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

import pytest
from django.core.wsgi import get_wsgi_application
from django.urls import re_path
from django.views.static import serve
from flask import Flask
from hypothesis import given
from hypothesis import strategies as st
from starlette.applications import Starlette
from starlette.routing import Mount
from starlette.staticfiles import StaticFiles
from whitenoise import WhiteNoise  # type: ignore[import-untyped]

import corscore_flask
import corscore_starlette
import corscore_wsgi
from cors_headers import PAGE, cors_of, named
from corscore import Policy, PolicyMap
from corscore.testing.conformance._asgi import asgi_sender
from corscore.testing.conformance._site import transport_of
from corscore.testing.conformance._wsgi import wsgi_sender
from django_project import OURS, project

if TYPE_CHECKING:
    from collections.abc import Callable

    Headers = list[tuple[str, str]]
    Send = Callable[[str], tuple[int, Headers]]

# Each file has another size, which identifies it in a response.
FILES = ["x.json", "partner/x.json", "private/x.json", "private/in/x.json", "private/in/y.json"]
BASE = "/static"
POLICIES: list[Policy | None] = [None, *(named(str(number)) for number in range(1, 5))]


def starlette(root: Path, policies: PolicyMap) -> Send:
    app = Starlette(routes=[Mount(BASE, StaticFiles(directory=root))])
    corscore_starlette.install(app, policies)
    send = transport_of(asgi_sender(app))
    return lambda path: send("GET", f"https://h{path}", [("Origin", PAGE)])


def _wsgi(app: Any) -> Send:
    send = transport_of(wsgi_sender(app))
    return lambda path: send("GET", f"https://h{quote(path)}", [("Origin", PAGE)])


def flask(root: Path, policies: PolicyMap) -> Send:
    app = Flask(__name__, static_folder=root, static_url_path=BASE)
    corscore_flask.CORS(app, policies)
    return _wsgi(app)


def django(root: Path, policies: PolicyMap) -> Send:
    view = re_path(r"^static/(?P<path>.*)$", serve, {"document_root": root})
    urls = type("Urls", (), {"urlpatterns": [view]})

    def send(path: str) -> tuple[int, Headers]:
        changes = {"MIDDLEWARE": [OURS], "ROOT_URLCONF": urls, "ALLOWED_HOSTS": ["*"]}
        with project(CORS_POLICY=policies, **changes):
            return _wsgi(get_wsgi_application())(path)

    return send


def whitenoise(root: Path, policies: PolicyMap, **options: Any) -> Send:
    def app(environ: Any, start_response: Any) -> list[bytes]:
        start_response("404 Not Found", [])
        return []

    server = WhiteNoise(app, root, BASE, allow_all_origins=False, **options)
    return _wsgi(corscore_wsgi.CORSMiddleware(server, policies))


def whitenoise_autorefresh(root: Path, policies: PolicyMap) -> Send:
    return whitenoise(root, policies, autorefresh=True)


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("files")
    for size, name in enumerate(FILES, 1):
        file = folder / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text("x" * size)
    return folder


NOISE = ["", ".", "partner/..", "private/..", "nowhere/..", "..", "\\", ".\\", "..\\private", "%2e"]
ENDS = ["", "/", "//", "/.", "/..", "/x/..", "\\", "."]


@st.composite
def paths(draw: st.DrawFn) -> str:
    """Draw the path of a file, with parts between its segments that a file server may resolve."""
    parts = draw(st.sampled_from(FILES)).split("/")
    noise = st.lists(st.sampled_from(NOISE), max_size=2)
    segments = [each for part in parts for each in (*draw(noise), part)]
    start = draw(st.sampled_from([BASE, BASE, f"/{BASE}", f"/.{BASE}", f"{BASE}/..{BASE}"]))
    return f"{start}/{'/'.join(segments)}{draw(st.sampled_from(ENDS))}"


# No names of files: a file server ignores a slash after one, and a map does not.
KEYS = [
    *(f"{BASE}/{name}/*" for name in ("partner", "private", "private/in")),
    f"{BASE}/*",
    "/*",
]
maps = st.builds(
    lambda policies, default: PolicyMap(policies, default=default),
    st.dictionaries(st.sampled_from(KEYS), st.sampled_from(POLICIES), max_size=4),
    st.sampled_from(POLICIES),
)


@pytest.mark.parametrize("serving", [starlette, flask, django, whitenoise, whitenoise_autorefresh])
@given(maps, paths())
def test_a_file_is_served_under_its_own_policy_or_to_no_origin(
    root: Path, serving: Callable[[Path, PolicyMap], Send], policies: PolicyMap, path: str
) -> None:
    status, headers = serving(root, policies)(path)
    found = cors_of(headers)
    if status != 200 or "access-control-allow-origin" not in found:
        return
    (size,) = [int(value) for name, value in headers if name.lower() == "content-length"]
    own = policies.policy_for(f"{BASE}/{FILES[size - 1]}")
    assert own is not None
    assert found["access-control-expose-headers"] == list(own.expose_headers)
