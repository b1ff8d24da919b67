"""The console texts that the engines wrote of directed fetches are predicted, and read back.

No browser runs here: test_browsers.py reads their consoles.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from comparison import Row, Run, console_of
from corscore.diagnostics import explain_console
from engines import ENGINES
from loopback import Site
from tables import rows

if TYPE_CHECKING:
    from corscore.browser import Browser

CONSOLES = rows("browser_consoles")
SITE = Site((8001, 8002))
SITE.run(CONSOLES)


@pytest.mark.parametrize("name", [engine.name for engine in ENGINES])
@pytest.mark.parametrize("case", range(len(CONSOLES)), ids=lambda case: CONSOLES[case]["why"])
def test_a_text_is_predicted_and_read_back(case: int, name: Browser) -> None:
    [step] = [step for step in SITE.steps if step["case"] == case]
    row = Row(case, step, 0, {}, [])
    [result] = Run(name, SITE.origins["page"], [row]).predicted(name)
    written: Any = SITE.spelled(CONSOLES[case]["console"][name], case)
    assert console_of(result, name) == written
    if written:
        assert any(
            result.reason in (message.reason, *message.others) and message.browser == name
            for message in explain_console(written)
        )
