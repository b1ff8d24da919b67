"""Explanations of what a browser does with a server's answers, for tools and tests.

``Policy.explain`` explains a policy; ``explain_fetch`` explains what went over the wire to any
server. The codes that both give are documented one by one in ``docs/codes``.
"""

from __future__ import annotations

from corscore._console import Refusal, console_messages
from corscore._explain_fetch import explain_fetch
from corscore._explanation import Explanation, HeaderNote, Nearest, Step
from corscore._finding import Finding

__all__ = (
    "Explanation",
    "Finding",
    "HeaderNote",
    "Nearest",
    "Refusal",
    "Step",
    "console_messages",
    "explain_fetch",
)
