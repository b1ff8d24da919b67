"""The site: README and docs/ as they are, made by ``make docs``.

The source is the whole project, so that links between pages are the same here and in a checkout.
"""

from __future__ import annotations

import re
import shutil
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from sphinx.application import Sphinx

ROOT = Path(__file__).parents[1]

project = "corscore"
author = "The corscore authors"
project_copyright = author
extensions = [
    "myst_parser",
    "sphinx_copybutton",
    "sphinx_design",
    "sphinx.ext.autodoc",
    "sphinx.ext.napoleon",
]
root_doc = "README"
include_patterns = ["README.md", "SECURITY.md", "CONTRIBUTING.md", "CHANGELOG.md", "docs/**.md"]
include_patterns += ["examples/README.md"]
# Texts of consoles and of the terminal keep their quotes.
smartquotes = False
html_theme = "furo"
html_title = "corscore"
html_static_path = ["site"]
html_css_files = ["site.css"]
html_show_sphinx = False
html_copy_source = True
html_show_sourcelink = False
myst_enable_extensions = ["colon_fence", "attrs_block"]
myst_heading_anchors = 3
# A changelog has the same headings for each release; two rooms have a `FetchResult`.
suppress_warnings = ["myst.header", "ref.python"]
autodoc_typehints = "signature"
autodoc_member_order = "bysource"
copybutton_prompt_text = "$ "
copybutton_only_copy_prompt_lines = True

_GROUPS = {
    "Start": ["docs/tutorial", "docs/faq", "docs/playground"],
    "Frameworks": [
        "docs/fastapi",
        "docs/flask",
        "docs/django",
        "docs/django-views",
        "docs/frameworks",
        "docs/migrating",
        "docs/testing",
    ],
    "Pages and APIs": [
        "docs/react-vite",
        "docs/nextjs",
        "docs/cookies",
        "docs/jwt",
        "docs/transfers",
        "docs/environments",
        "docs/proxies",
        "docs/mcp",
    ],
    "Several policies": [
        "docs/paths",
        "docs/routes",
        "docs/hosts",
        "docs/dynamic-origins",
        "docs/live-changes",
    ],
    "Beyond CORS": ["docs/cross-site", "docs/websockets", "docs/observing"],
    "Reference": [
        "docs/options",
        "docs/api",
        "docs/django-checks",
        "docs/cli",
        "docs/codes/README",
    ],
    "Explanation": ["docs/explanation", "docs/performance", "SECURITY"],
    "Project": ["docs/writing-an-adapter", "examples/README", "CHANGELOG", "CONTRIBUTING"],
}
# The starts, which the site shows as tabs.
_STARTS = ("FastAPI and Starlette", "Flask", "Django")
_PUBLIC = (
    "corscore",
    "corscore.integration",
    "corscore.diagnostics",
    "corscore.browser",
    "corscore.testing",
    "corscore_starlette",
    "corscore_asgi",
    "corscore_wsgi",
    "corscore_flask",
    "corscore_django",
)


def add_to_page(_: Sphinx, name: str, source: list[str]) -> None:
    """Add what only the site has: tabs, the list of pages, and the public names."""
    if name == root_doc:
        source[0] = _tabs(source[0]) + _contents()
    elif name == "docs/codes/README":
        pages = sorted(path.stem for path in (ROOT / "docs" / "codes").glob("*.md"))
        pages.remove("README")
        source[0] += _toctree("", pages)
    elif name == "CHANGELOG":
        # Where a forge has the history; the site has none.
        source[0] = re.sub(r"\[([^\]]*)\]\(\.\./[^)]*\)", r"\1", source[0])
        source[0] = re.sub(r"^\[[^\]]*\]: \.\./.*\n", "", source[0], flags=re.MULTILINE)
    elif name == "docs/api":
        source[0] += "".join(
            f"\n## {module}\n\n```{{eval-rst}}\n.. automodule:: {module}\n   :members:\n"
            "   :imported-members:\n```\n"
            for module in _PUBLIC
        )


def _tabs(text: str) -> str:
    for number, name in enumerate(_STARTS):
        start = text.index(f"## {name}\n")
        end = text.index("\n## ", start)
        body = text[start:end].partition("\n")[2]
        tab = f"::::{{tab-item}} {name}\n:sync: {number}\n{body}\n::::\n"
        before = "## A first application\n\n:::::{tab-set}\n" if number == 0 else ""
        after = ":::::\n" if number == len(_STARTS) - 1 else ""
        text = text[:start] + before + tab + after + text[end:]
    return text


def _contents() -> str:
    listed = {page for pages in _GROUPS.values() for page in pages}
    found = (f"docs/{path.stem}" for path in sorted((ROOT / "docs").glob("*.md")))
    groups = {**_GROUPS, "More": [page for page in found if page not in listed]}
    return "".join(
        _toctree(f":caption: {name}\n", pages) for name, pages in groups.items() if pages
    )


def _toctree(options: str, pages: list[str]) -> str:
    listed = "\n".join(pages)
    return f"\n```{{toctree}}\n:hidden:\n:maxdepth: 1\n{options}\n{listed}\n```\n"


def break_long_names(_: Sphinx, __: str, ___: str, context: dict[str, Any], ____: object) -> None:
    """Let names in tables break after an underscore, and nowhere else."""
    cells = re.compile(r"<td>.*?</td>", re.DOTALL)
    names = re.compile(r"(?<=\w_)(?=\w[^<>]*</span>)")
    if body := context.get("body"):
        context["body"] = cells.sub(lambda cell: names.sub("<wbr>", cell[0]), body)


def finish(app: Sphinx, error: Exception | None) -> None:
    """Write the address of the site itself, and the list of pages for language models."""
    if error is not None or app.builder.format != "html":
        return
    site = Path(app.outdir)
    shutil.copy(site / f"{root_doc}.html", site / "index.html")
    lines = [f"# {project}\n\n> One CORS policy for every Python web framework.\n"]
    for group, pages in {"Overview": [root_doc], **_GROUPS}.items():
        lines.append(f"\n## {group}\n\n")
        for page in pages:
            title = app.env.titles[page].astext()
            lines.append(f"- [{title}](_sources/{page}.md.txt): {_purpose(page)}\n")
    (site / "llms.txt").write_text("".join(lines), encoding="utf-8")


def _purpose(page: str) -> str:
    """The first sentence of a page."""
    text = (ROOT / f"{page}.md").read_text(encoding="utf-8")
    first = next(one for one in text.split("\n\n")[1:] if not one.startswith(("#", "```", "!")))
    first = re.sub(r"\[([^\]]*)\]\([^)]*\)", r"\1", " ".join(first.split()))
    return first.partition(". ")[0].rstrip(".") + "."


def setup(app: Sphinx) -> None:
    app.connect("source-read", add_to_page)
    app.connect("html-page-context", break_long_names)
    app.connect("build-finished", finish)
