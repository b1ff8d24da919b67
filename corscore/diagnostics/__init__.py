"""Explanations of what a browser does with a server's answers, for tools and tests.

``Policy.explain`` explains a policy; ``explain_fetch`` explains what went over the wire to any
server. ``lint`` finds what can be built and is most likely a mistake, and ``access_changes`` who
gains and loses by a new policy. ``probe`` asks a live server, and ``explain_har`` explains what a
browser recorded. All codes are documented one by one in ``docs/codes``.
"""

from __future__ import annotations

from corscore._explain.fetch import explain_fetch
from corscore._explain.types import Explanation, HeaderNote, Nearest, Step
from corscore.browser._console import Refusal, console_messages
from corscore.diagnostics._access import AccessChange, access_changes
from corscore.diagnostics._diagnosis import Diagnosis, DiagnosisStep, NoResponse
from corscore.diagnostics._finding import Finding
from corscore.diagnostics._har import MAX_HAR_BYTES, Entry, HarError, read_har
from corscore.diagnostics._har_report import HarReport, explain_har
from corscore.diagnostics._lint import lint
from corscore.diagnostics._probe import probe

__all__ = (
    "MAX_HAR_BYTES",
    "AccessChange",
    "Diagnosis",
    "DiagnosisStep",
    "Entry",
    "Explanation",
    "Finding",
    "HarError",
    "HarReport",
    "HeaderNote",
    "Nearest",
    "NoResponse",
    "Refusal",
    "Step",
    "access_changes",
    "console_messages",
    "explain_fetch",
    "explain_har",
    "lint",
    "probe",
    "read_har",
)
