"""The applications in ``examples`` do what they say."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

EXAMPLES = Path(__file__).parents[2] / "examples"
APP, STRANGER = "https://app.example.com", "https://evil.example"

# Code that makes a client of the application.
CLIENTS = {
    "fastapi_app": "from starlette.testclient import TestClient; client = TestClient(m.app)",
    "flask_app": "client = m.app.test_client()",
    "django_app": "from django.test import Client; client = Client()",
    "tenants": (
        "from functools import partial; from werkzeug.test import Client\n"
        "client = Client(m.application)\n"
        "client.get = partial(client.get, base_url='https://api.shop-7.example')"
    ),
    "tenants_async": (
        "from starlette.testclient import TestClient\n"
        "client = TestClient(m.app, base_url='https://api.shop.example').__enter__()"
    ),
    "live_app": "from werkzeug.test import Client; client = Client(m.application)",
}
CASES = [
    ("fastapi_app", "/orders", APP, True),
    ("fastapi_app", "/orders", "https://pr-7.preview.example.com", True),
    ("fastapi_app", "/orders", STRANGER, False),
    ("fastapi_app", "/public/prices", STRANGER, True),
    ("fastapi_app", "/version", STRANGER, True),
    ("fastapi_app", "/internal/health", APP, False),
    ("flask_app", "/orders", APP, True),
    ("flask_app", "/orders", "https://pr-7.preview.example.com", True),
    ("flask_app", "/orders", STRANGER, False),
    ("flask_app", "/version", STRANGER, True),
    ("django_app", "/orders", APP, True),
    ("django_app", "/orders", STRANGER, False),
    ("django_app", "/version", STRANGER, True),
    ("tenants", "/", "https://www.shop-7.example", True),
    ("tenants", "/", "https://www.shop-8.example", False),
    ("tenants_async", "/", "https://www.shop.example", True),
    ("tenants_async", "/", STRANGER, False),
    ("tenants_async", "https://api.other.example/", "https://www.shop.example", False),
    ("live_app", "/", APP, True),
    ("live_app", "/", STRANGER, False),
]


@pytest.mark.parametrize("name", CLIENTS)
def test_an_example_allows_the_origins_that_it_names(name: str) -> None:
    # In another process, since a process configures Django once.
    asked = [(path, origin, wanted) for of, path, origin, wanted in CASES if of == name]
    program = f"""
import {name} as m
{CLIENTS[name]}
for path, origin, wanted in {asked!r}:
    answer = client.get(path, headers={{"Origin": origin}})
    assert ("Access-Control-Allow-Origin" in answer.headers) == wanted, (path, origin)
"""
    subprocess.run([sys.executable, "-c", program], cwd=EXAMPLES, check=True, timeout=60)


def test_every_example_is_tested_and_listed() -> None:
    found = {path.stem for path in EXAMPLES.glob("*.py")}
    assert found == set(CLIENTS)
    listed = (EXAMPLES / "README.md").read_text(encoding="utf-8")
    assert all(f"({name}.py)" in listed for name in found)
