"""Diagnoses of policies, live servers and recordings, for tools and tests.

``lint`` finds likely mistakes in a policy that can be built, and ``access_changes`` lists what a
new policy allows and forbids. ``explain_fetch`` explains a fetch from any server, as
``Policy.explain`` explains a policy. ``probe`` examines a live server, ``explain_har`` a
browser's recording, and ``explain_console`` what its console says. Every code has a page in
``docs/codes``.
"""

from __future__ import annotations

from corscore._explain.fetch import explain_fetch
from corscore._explain.types import Explanation, HeaderNote, Nearest, Step
from corscore._standard.page import code_page
from corscore.browser._console import console_messages
from corscore.diagnostics._access import AccessChange, access_changes
from corscore.diagnostics._console import (
    MAX_CONSOLE_CHARACTERS,
    ConsoleMessage,
    explain_console,
)
from corscore.diagnostics._diagnosis import Diagnosis, DiagnosisStep, NoResponse
from corscore.diagnostics._finding import Finding
from corscore.diagnostics._governing import Governing, governing
from corscore.diagnostics._har import MAX_HAR_BYTES, Entry, HarError, read_har
from corscore.diagnostics._har_report import HarReport, explain_har
from corscore.diagnostics._lint import developers_origins, lint
from corscore.diagnostics._probe import probe

__all__ = (
    "MAX_CONSOLE_CHARACTERS",
    "MAX_HAR_BYTES",
    "AccessChange",
    "ConsoleMessage",
    "Diagnosis",
    "DiagnosisStep",
    "Entry",
    "Explanation",
    "Finding",
    "Governing",
    "HarError",
    "HarReport",
    "HeaderNote",
    "Nearest",
    "NoResponse",
    "Step",
    "access_changes",
    "code_page",
    "console_messages",
    "developers_origins",
    "explain_console",
    "explain_fetch",
    "explain_har",
    "governing",
    "lint",
    "probe",
    "read_har",
)
