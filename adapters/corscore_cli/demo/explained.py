"""Why a row came out as it did: what went over the wire, in the words of the row's policy."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from corscore.diagnostics import explain_fetch
from corscore_cli.demo.policies import INTERNAL

if TYPE_CHECKING:
    from corscore import Policy
    from corscore.browser import Browser, FetchResult, Request
    from corscore.diagnostics import Explanation

_NO_POLICY = f'give the path a policy: "{INTERNAL}" has None, which leaves its responses alone'


def explained(
    request: Request,
    result: FetchResult,
    reads: str | None,
    policy: Policy | None,
    browser: Browser | None,
) -> Explanation:
    """The explanation of one fetch, from the API's own answers.

    Args:
        request: What the script asked for.
        result: What came of it.
        reads: The response header that it wants to read.
        policy: What governs the path; None where nothing does.
        browser: Whose deviations were taken into account.
    """
    names = () if reads is None else (reads,)
    told = explain_fetch(request, result, reads=names, browser=browser)
    if policy is None:
        return told if told.allowed else replace(told, hint=_NO_POLICY)
    said = policy.explain(request, reads=names)
    if said.browser_reason != told.browser_reason:
        # A deviation of this browser, which the policy knows nothing of.
        return told
    asked = {"preflight" if done.is_preflight else "actual" for done in result.exchanges}
    return replace(
        said,
        steps=told.steps,
        console=told.console,
        headers=tuple(note for note in said.headers if note.response in asked),
    )
