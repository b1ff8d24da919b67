"""What an explanation is made of: plain data, with a text for people and a dict for programs."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator

    from corscore.browser._reasons import Browser, Reason

_BROWSERS: dict[Browser, str] = {"chromium": "Chrome", "firefox": "Firefox", "safari": "Safari"}


@dataclass(frozen=True, slots=True)
class Step:
    """One thing that a browser does or checks.

    Attributes:
        name: What it is, for programs: ``"preflight-needed"``, ``"preflight-status"``, ...
        ok: Whether it went well; the last step of a refusal did not.
        text: What was found, in one sentence.
        section: Where the standard says so: an address.
        reason: Why it failed, a key of ``corscore.browser.REASONS``; None if it did not.
    """

    name: str
    ok: bool
    text: str
    section: str
    reason: str | None = None


@dataclass(frozen=True, slots=True)
class Nearest:
    """What of the policy comes closest to a refused request, and how it differs.

    Attributes:
        option: The option that it is in: ``"allow_origins"``, ``"allow_methods"``, ...
        pattern: The pattern, method or name; None where the option lists nothing like it.
        code: The difference as a stable code.
        difference: The same in a few words: ``"http, not https"``.
    """

    option: str
    pattern: str | None
    code: str
    difference: str


@dataclass(frozen=True, slots=True)
class HeaderNote:
    """One header of a response, and why it is there.

    Attributes:
        name: As the policy writes it.
        value: Its value.
        why: One sentence.
        response: Whose it is: ``"preflight"`` or ``"actual"``.
    """

    name: str
    value: str
    why: str
    response: str


@dataclass(frozen=True, slots=True)
class Explanation:
    """Why a browser lets a script go on, or does not. ``str()`` is for people.

    Nothing but ``console`` has a character in it that is not printable ASCII, whatever the request
    says: it can be logged.

    Attributes:
        allowed: Whether the script gets all that it asked for.
        reason: Why not, as a stable code with a page in ``docs/codes``; None where it does.
        browser_reason: What the browser itself goes by, a key of ``corscore.browser.REASONS``.
            Where ``reason`` says how an origin differs, this says what came of it.
        message: The verdict in a sentence or two.
        hint: What to change; None where nothing is wrong.
        matched: The pattern or the regex that allows the origin, ``"null"`` or ``"*"``; None
            where no policy was asked, or none of its patterns fits.
        nearest: What comes closest; None where the request is allowed, or nothing does.
        steps: What the browser does, in its order, up to the first refusal.
        headers: What the policy sets on the responses, each header with its reason.
        console: What developers see, by browser. A browser that would not refuse has no entry,
            nor has any where a script finds a header hidden: nothing is written then.
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
        """All of it in dicts, lists and strings, as JSON has them."""
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
        """The text without the browsers' consoles: for a server's log, and for nobody else's eyes.

        It names patterns of the policy.
        """
        return "\n".join((*self._verdict(), *self._steps(), *self._headers()))

    def __str__(self) -> str:
        return "\n".join((self.log_text, *self._console()))

    def _verdict(self) -> Iterator[str]:
        yield "Allowed" if self.allowed else f"Refused: {self.reason}"
        yield f"  {self.message}"
        if self.hint is not None:
            yield f"  Fix: {self.hint}."

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
