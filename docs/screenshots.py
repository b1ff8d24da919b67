"""Makes ``docs/cli/*.svg``: what the commands print on a terminal, as it is. ``make screenshots``.

The files that the commands look at are those of ``docs/cli.md``, which are real.
"""

from __future__ import annotations

import io
import os
import re
import shlex
import shutil
import sys
import tempfile
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import TYPE_CHECKING

from click.testing import CliRunner
from rich.console import Console
from rich.text import Text

from corscore_cli.shell.command import corscore

if TYPE_CHECKING:
    from collections.abc import Iterator

DOCS = Path(__file__).parent
WIDTH = 100
FENCED = re.compile(r"^```(?:python|toml)\n# (\S+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
SHOTS = {
    "check": "corscore check cors.toml",
    "explain": "corscore explain api.toml --origin http://app.example.com --method PUT",
    "probe": "corscore probe http://127.0.0.1:8000/missing.json --origin http://localhost:5173",
    "har": "corscore har network.har",
    "diff": "corscore diff api.toml next.toml",
    "migrate": "corscore migrate --from starlette old:app",
}
# rich's own style, without the fonts that it loads from another server.
FONTS = re.compile(r"@font-face\s*\{.*?\}\s*", re.DOTALL)


def write_files(folder: Path) -> None:
    """Writes the files that the page shows, each under the name in its first line."""
    for name, text in FENCED.findall((DOCS / "cli.md").read_text(encoding="utf-8")):
        (folder / name).write_text(text, encoding="utf-8")
    shutil.copy(DOCS / "cli" / "network.har", folder)


class Handler(BaseHTTPRequestHandler):
    """What nginx does without ``always``: an error has none of the headers."""

    def do_GET(self) -> None:
        self.send_response(200 if self.path == "/" else 404)
        if self.path == "/":
            self.send_header("Access-Control-Allow-Origin", "http://localhost:5173")
        self.end_headers()

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002  (its own name)
        pass


@contextmanager
def serving() -> Iterator[None]:
    """The server that the page asks."""
    with ThreadingHTTPServer(("127.0.0.1", 8000), Handler) as server:
        Thread(target=server.serve_forever, daemon=True).start()
        yield
        server.shutdown()


def shoot(command: str) -> str:
    """What a command prints, as SVG with its call as the first line."""
    env = {"FORCE_COLOR": "1", "NO_COLOR": None, "COLUMNS": str(WIDTH), "TERM": "xterm-256color"}
    done = CliRunner().invoke(corscore, shlex.split(command)[1:], env=env)
    console = Console(record=True, width=WIDTH, file=io.StringIO(), force_terminal=True)
    console.print(Text.assemble(("$ ", "dim"), (command, "bold")), end="\n\n")
    console.print(Text.from_ansi(done.stdout))
    svg = console.export_svg(title="corscore", unique_id=command.split()[1])
    return "\n".join(line.rstrip() for line in FONTS.sub("", svg).splitlines()) + "\n"


def main() -> None:
    """Writes all of them."""
    target = (DOCS / "cli").absolute()
    target.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory() as name:
        write_files(Path(name))
        here = Path.cwd()
        os.chdir(name)
        with serving():
            shots = {shot: shoot(command) for shot, command in SHOTS.items()}
        os.chdir(here)
    for shot, svg in shots.items():
        (target / f"{shot}.svg").write_text(svg, encoding="utf-8")
        sys.stdout.write(f"docs/cli/{shot}.svg\n")


if __name__ == "__main__":
    main()
