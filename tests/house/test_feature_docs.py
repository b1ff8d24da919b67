"""Examples of the pages about features run, and their recipes do what the page says."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
from opentelemetry.sdk.trace import TracerProvider

DOCS = Path(__file__).parents[2] / "docs"
PAGES = [
    "paths",
    "routes",
    "dynamic-origins",
    "live-changes",
    "fleet",
    "websockets",
    "cross-site",
    "observing",
    "flask",
]
FENCED = re.compile(r"^```(python|toml)\n(.*?)^```$", re.MULTILINE | re.DOTALL)


def run(page: str) -> dict[str, Any]:
    """Run a page's examples one after the other, and return the names that they define."""
    names: dict[str, Any] = {"__name__": page}
    for language, code in FENCED.findall((DOCS / f"{page}.md").read_text(encoding="utf-8")):
        if language == "toml":
            # The first line of a file is its name.
            Path(code.splitlines()[0].removeprefix("# ")).write_text(code, encoding="utf-8")
        else:
            exec(compile(code, f"{page}.md", "exec"), names)  # noqa: S102
    return names


@pytest.fixture(autouse=True)
def empty_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


@pytest.mark.parametrize("page", PAGES)
def test_the_examples_of_a_page_run(page: str) -> None:
    names = run(page)
    assert len(names) > 2
    if "engine" in names:
        names["engine"].dispose()


def request(app: Any, origin: str, **environ: str) -> str:
    """Send a request through a WSGI app, and return the status."""
    started: list[str] = []
    given = {"REQUEST_METHOD": "GET", "PATH_INFO": "/", "HTTP_ORIGIN": origin, **environ}
    app(given, lambda status, headers, *_: started.append(status))
    return started[0]


def test_prometheus_counts_decisions() -> None:
    names = run("observing")
    for origin in ("https://app.example.com", "https://evil.example", "https://evil.example"):
        request(names["counted"], origin)
    for reason, count in (("allowed", 1.0), ("origin-not-allowed", 2.0)):
        labels = {"kind": "actual", "reason": reason}
        assert names["registry"].get_sample_value("cors_decisions_total", labels) == count


def test_opentelemetry_knows_the_decision() -> None:
    names = run("observing")
    with TracerProvider().get_tracer("test").start_as_current_span("request") as span:
        request(names["traced"], "https://evil.example")
    attributes: Any = getattr(span, "attributes")  # noqa: B009 - only the SDK's spans have them
    assert dict(attributes) == {"cors.kind": "actual", "cors.reason": "origin-not-allowed"}


def test_a_form_of_another_site_is_refused() -> None:
    app = run("cross-site")["app"]
    site = {"REQUEST_METHOD": "POST", "HTTP_SEC_FETCH_SITE": "cross-site"}
    assert request(app, "https://evil.example", **site) == "403 Forbidden"
    assert request(app, "https://www.example.com", **site) == "200 OK"
