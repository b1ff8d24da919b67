"""JavaScript of the documentation: it parses, and configurations say what their page says."""

from __future__ import annotations

import json
import re
import subprocess
from pathlib import Path
from typing import Any

import playwright
import pytest

DOCS = Path(__file__).parents[2] / "docs"
# What Playwright drives browsers with; it comes with the package.
NODE = Path(playwright.__file__).parent / "driver" / "node"
FENCED = re.compile(r"^```js\n(.*?)^```$", re.MULTILINE | re.DOTALL)
NAMED = re.compile(r"\A// ([\w.]+\.js)\b")
BLOCKS = [
    (page, text)
    for page in sorted(DOCS.rglob("*.md"))
    for text in FENCED.findall(page.read_text(encoding="utf-8"))
]
# Vite is not installed: its configuration is a value, which these functions pass on.
PROGRAM = """
import { registerHooks } from "node:module";
const stub = "export default () => 'plugin'; export const defineConfig = (given) => given;";
registerHooks({
  resolve: (name, context, next) =>
    /^(vite|@vitejs)/.test(name)
      ? { url: `data:text/javascript,${encodeURIComponent(stub)}`, shortCircuit: true }
      : next(name, context),
});
const load = (name) => import(`${process.cwd()}/${name}`);
globalThis.fetch = async (url) => Response.json({ asked: url });
console.log(JSON.stringify({
  rewrites: await (await load("next.config.js")).default.rewrites(),
  proxy: (await load("vite.config.js")).default.server.proxy,
  handled: await (await (await load("route.js")).GET()).json(),
}));
"""
PARSE = """
const AsyncFunction = (async () => {}).constructor;
for (const text of JSON.parse(process.argv[1])) new AsyncFunction(text);
"""


def run(program: str, folder: Path, *arguments: str) -> str:
    if not NODE.exists():
        pytest.skip("this Playwright has no node")
    command = [str(NODE), "--input-type=module", "--no-warnings", "--eval", program, "--"]
    done = subprocess.run(
        [*command, *arguments], cwd=folder, check=True, capture_output=True, text=True
    )
    return done.stdout


@pytest.fixture(scope="module")
def loaded(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    folder = tmp_path_factory.mktemp("node")
    for _, text in BLOCKS:
        if name := NAMED.match(text):
            (folder / name[1]).write_text(text, encoding="utf-8")
    found: dict[str, Any] = json.loads(run(PROGRAM, folder))
    return found


def test_rewrites_of_next_lead_to_the_api(loaded: dict[str, Any]) -> None:
    (rewrite,) = loaded["rewrites"]
    # `:path*` is the rest of the path, in both.
    assert rewrite["source"].replace(":path*", "items") == "/api/items"
    assert rewrite["destination"].replace(":path*", "items") == "http://localhost:8000/items"


def test_a_route_handler_of_next_passes_the_answer_on(loaded: dict[str, Any]) -> None:
    assert loaded["handled"] == {"asked": "http://localhost:8000/items"}


def test_vite_passes_requests_on_with_their_host(loaded: dict[str, Any]) -> None:
    assert loaded["proxy"] == {"/api": {"target": "http://localhost:8000", "changeOrigin": False}}


def test_every_other_block_parses(tmp_path: Path) -> None:
    texts = [text for _, text in BLOCKS if not NAMED.match(text)]
    assert texts
    run(PARSE, tmp_path, json.dumps(texts))
