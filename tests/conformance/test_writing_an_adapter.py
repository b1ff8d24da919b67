"""The adapter of ``docs/writing-an-adapter.md`` passes the suite, as the page says."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

from corscore.testing.conformance import ConformanceSuite, Sender, Site

PAGE = Path(__file__).parents[2] / "docs" / "writing-an-adapter.md"


def code_of_the_page() -> dict[str, Any]:
    blocks = re.findall(r"```python\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.DOTALL)
    names: dict[str, Any] = {}
    exec(compile("\n".join(blocks), str(PAGE), "exec"), names)  # noqa: S102 - our own page
    return names


CODE = code_of_the_page()


class TestAdapterOfThePage(ConformanceSuite):
    def serve(self, site: Site, policies: Any) -> Sender:
        sender: Sender = CODE["TestCORS"]().serve(site, policies)
        return sender


def test_the_page_names_what_the_suite_has() -> None:
    text = PAGE.read_text(encoding="utf-8")
    rules = [name for name in vars(ConformanceSuite) if name.startswith("test_")]
    assert f"runs its {['no', 'one', 'two', 'three', 'four', 'five'][len(rules)]} tests" in text
    assert issubclass(CODE["TestCORS"], ConformanceSuite)
