"""``Explanation`` and its parts: plain data, with a text for people and a dict for programs."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

from corscore._standard.page import code_page

if TYPE_CHECKING:
    from collections.abc import Iterator

    from corscore.browser._deviations import Browser
    from corscore.browser._reasons import Reason

_BROWSERS: dict[Browser, str] = {"chromium": "Chrome", "firefox": "Firefox", "safari": "Safari"}


@dataclass(frozen=True, slots=True)
class Step:
    """One action or check of a browser.

    Attributes:
        name: A name for programs: ``"preflight-needed"``, ``"preflight-status"``, ...
        ok: Whether it succeeded; the last step of a refusal failed.
        text: The finding, in one sentence without its full stop.
        section: The URL of its section in the standard; the step may follow: ``", step 7.5"``.
        reason: Why it failed, a key of ``corscore.browser.REASONS``; None if it succeeded.
    """

    name: str
    ok: bool
    text: str
    section: str
    reason: str | None = None


@dataclass(frozen=True, slots=True)
class Nearest:
    """The item of a policy that comes nearest to a refused request, and how it differs.

    Attributes:
        option: The option that lists it: ``"allow_origins"``, ``"allow_methods"``, ...
        pattern: The pattern, method or name; None if the option lists nothing similar.
        difference: The difference in a few words: ``"http, not https"``.
    """

    option: str
    pattern: str | None
    difference: str


@dataclass(frozen=True, slots=True)
class HeaderNote:
    """A header of a response, and why the policy sets it.

    Attributes:
        name: Its name, as the policy writes it.
        value: Its value.
        why: The reason, in one sentence.
        response: The response that has it: ``"preflight"`` or ``"actual"``.
    """

    name: str
    value: str
    why: str
    response: str


@dataclass(frozen=True, slots=True)
class Explanation:
    """Why a browser allows or refuses what a script asks for. ``str()`` gives a text for people.

    All of it is printable ASCII, whatever the request contains, and safe to log. The exception is
    ``console``.

    Attributes:
        allowed: Whether the script gets all that it asked for.
        reason: The cause of a refusal, a stable code with a page in ``docs/codes``; else None.
        browser_reason: The browser's own reason, a key of ``corscore.browser.REASONS``: for
            example ``"origin-mismatch"``, where ``reason`` is ``"origin-scheme-differs"``.
        message: The result in a sentence or two.
        hint: What to change; None if nothing is wrong.
        matched: The pattern or the regex that allows the origin, ``"null"`` or ``"*"``; None
            if no policy was asked or no pattern matches.
        nearest: The nearest item of the policy; None if the request is allowed or nothing is near.
        steps: The browser's steps, in its order, up to the first refusal.
        headers: The headers that the policy sets on the responses, each with its reason.
        console: The text in the console of each browser that would refuse. Empty for a hidden
            header, about which browsers write nothing.
    """

    allowed: bool
    reason: str | None
    browser_reason: Reason | None
    message: str
    hint: str | None
    matched: str | None
    nearest: Nearest | None
    steps: tuple[Step, ...]
    headers: tuple[HeaderNote, ...]
    console: tuple[tuple[Browser, str], ...]

    def to_dict(self) -> dict[str, Any]:
        """Return all of it as dicts, lists and strings, ready for JSON."""
        return {
            "allowed": self.allowed,
            "reason": self.reason,
            "browser_reason": self.browser_reason,
            "message": self.message,
            "hint": self.hint,
            "matched": self.matched,
            "nearest": None if self.nearest is None else asdict(self.nearest),
            "steps": list(map(asdict, self.steps)),
            "headers": list(map(asdict, self.headers)),
            "console": dict(self.console),
        }

    @property
    def log_text(self) -> str:
        """The text without the browsers' consoles, for a server's log.

        It names patterns of the policy: do not send it to a client.
        """
        return "\n".join((*self._result(), *self._steps(), *self._headers()))

    def __str__(self) -> str:
        return "\n".join((self.log_text, *self._console()))

    def _result(self) -> Iterator[str]:
        yield "Allowed" if self.allowed else f"Refused: {self.reason}"
        yield f"  {self.message}"
        if self.hint is not None:
            yield f"  Fix: {self.hint}."
        if self.reason is not None:
            yield f"  More: {code_page(self.reason)}"

    def _steps(self) -> Iterator[str]:
        if self.steps:
            yield "What a browser does"
        for number, step in enumerate(self.steps, 1):
            yield f"  {number}. {'ok' if step.ok else 'NO'}  {step.text}."
            yield f"         {step.section}"

    def _headers(self) -> Iterator[str]:
        response = None
        for note in self.headers:
            if note.response != response:
                response = note.response
                yield f"Headers of the {'preflight' if response == 'preflight' else 'response'}"
            yield f"  {note.name}: {note.value}"
            yield f"      {note.why}"

    def _console(self) -> Iterator[str]:
        if self.console:
            yield "What the console says"
        for browser, text in self.console:
            yield f"  {_BROWSERS[browser]}:"
            yield from (f"      {line}" for line in text.splitlines())
