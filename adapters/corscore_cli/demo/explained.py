"""Why a row came out as it did: what went over the wire, in the words of the row's policy."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from corscore.diagnostics import explain_fetch
from corscore_cli.demo.policies import INTERNAL

if TYPE_CHECKING:
    from corscore import Policy
    from corscore.browser import FetchResult
    from corscore.diagnostics import Explanation

_NO_POLICY = f'give the path a policy: "{INTERNAL}" has None, which leaves its responses alone'


def explained(result: FetchResult, reads: str | None, policy: Policy | None) -> Explanation:
    """Return the explanation of one fetch, from the API's own responses.

    Args:
        result: The result of the fetch.
        reads: The response header that the script wants to read.
        policy: The policy of the path; None if it has none.
    """
    names = () if reads is None else (reads,)
    told = explain_fetch(result, reads=names)
    if policy is None:
        return told if told.allowed else replace(told, hint=_NO_POLICY)
    said = policy.explain(result.exchanges[0].request, reads=names)
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
