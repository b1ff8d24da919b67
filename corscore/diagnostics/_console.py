"""``explain_console``: the messages about CORS in a browser's console.

The text is untrusted: nothing in it raises, each pattern is tried once at a place, and every value
in a result is printable ASCII of bounded length.
"""

from __future__ import annotations

import re
from dataclasses import asdict, dataclass, replace
from itertools import islice
from typing import TYPE_CHECKING, Any

from corscore._explain.fetch import cause
from corscore._standard.fetch import (
    ACCESS_CONTROL_ALLOW_HEADERS,
    ACCESS_CONTROL_ALLOW_ORIGIN,
    AUTHORIZATION,
    OPAQUE_ORIGIN,
    REDIRECT_STATUSES,
    WILDCARD,
)
from corscore._standard.grammar import is_token
from corscore._standard.origin import parse_origin
from corscore._standard.text import escaped, shown
from corscore.browser import _console_texts as texts
from corscore.browser._fetch import Exchange
from corscore.browser._reasons import REASONS
from corscore.browser._request import Request, derived
from corscore.browser._url import parse_url
from corscore.diagnostics._curl import probe_line
from corscore.diagnostics._exchanges import is_bare_error, is_gateway_error
from corscore.diagnostics._network_errors import NETWORK_HINT, network_error

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from corscore.browser._deviations import Browser
    from corscore.browser._headers import HeadersInput

MAX_CONSOLE_CHARACTERS: int = 2**16
_MAX_MESSAGES = 1_000
_LONGEST_VALUE = 4_096

_PAGE = "https://page.invalid"
_SERVER = "https://server.invalid/"

# Browsers and editors write curly quotes and invisible characters.
_QUOTES = str.maketrans({"‘": "'", "’": "'", "“": '"', "”": '"', "\u200b": "", "\ufeff": ""})  # noqa: RUF001
_FIELD = re.compile(r"\{(\w+)\}")
_STATUS = re.compile(r"\W{0,4}Status code: (\d{3})")
_UNKNOWN = "not-enough-data"
# The texts that may separate a head from its reason.
_GAPS = ("", texts.CHROMIUM_PREFLIGHT)
_PREFLIGHT_REASONS = (
    "preflight-redirected",
    "preflight-not-ok",
    "invalid-allow-methods",
    "invalid-allow-headers",
    "method-not-allowed",
    "header-not-allowed",
    "authorization-needs-explicit",
)
_NO_RESPONSE = (
    "The browser got no response that it could read: the server was not reached, an extension "
    "blocked the request, or a redirect failed. Firefox writes no more about it."
)

_TEXTS_OF_OTHER_VERSIONS: tuple[tuple[Browser, str, str], ...] = (
    ("firefox", "redirect-invalid", "CORS request not HTTP"),
    ("firefox", "preflight-not-ok", "CORS preflight channel did not succeed"),
    (
        "firefox",
        "header-not-allowed",
        "missing token '{header}' in CORS header 'Access-Control-Allow-Headers'",
    ),
    (
        "firefox",
        "authorization-needs-explicit",
        "When the `Access-Control-Allow-Headers` is `*`, the `Authorization` header is not covered",
    ),
)
_CHECK_REASONS = (
    "no-allow-origin",
    "origin-mismatch",
    "multiple-allow-origin",
    "wildcard-with-credentials",
    "credentials-not-allowed",
)
_CREDENTIALS_REASONS = ("wildcard-with-credentials", "credentials-not-allowed")
_REDIRECT_REASONS = ("redirect-invalid", "too-many-redirects", "redirect-with-credentials")
_STATUS_REASONS = ("preflight-not-ok", "preflight-redirected")
_CHROMIUM_ERRORS: dict[str, str] = {
    "net::ERR_TOO_MANY_REDIRECTS": "too-many-redirects",
    "net::ERR_INVALID_REDIRECT": "redirect-invalid",
    "net::ERR_UNSAFE_REDIRECT": "redirect-invalid",
    "net::ERR_RESPONSE_HEADERS_MULTIPLE_LOCATION": "redirect-invalid",
}


@dataclass(frozen=True, slots=True)
class ConsoleMessage:
    """A browser's message about a refused request, and what it means.

    All text is printable ASCII.

    Attributes:
        browser: The engine that wrote the message.
        reason: The likeliest cause, as a stable code.
        others: Other codes that fit the message, the likeliest first.
        url: The URL of the request, without its fragment; None if the message does not name it.
        redirected_from: The URL that the script asked for, if the message names it as well.
        origin: The page's origin, or None.
        method: The request's method, or None.
        header: The header that the message names, in lower case, or None.
        value: The value of the server that the message quotes, or None.
        status: The status of the response, or None.
        message: The cause in a sentence or two.
        hint: What to change.
        is_preflight: Whether the message is known to be about a preflight.
        probe_line: A shell command that asks the server for the rest, with ``ORIGIN`` and
            ``METHOD`` for what the message does not name; None without a URL.
    """

    browser: Browser
    reason: str
    others: tuple[str, ...] = ()
    url: str | None = None
    redirected_from: str | None = None
    origin: str | None = None
    method: str | None = None
    header: str | None = None
    value: str | None = None
    status: int | None = None
    message: str = ""
    hint: str = ""
    is_preflight: bool = False
    probe_line: str | None = None

    def to_dict(self) -> dict[str, Any]:
        """Return all of it as dicts, lists and strings, ready for JSON."""
        return {**asdict(self), "others": list(self.others)}


def explain_console(text: str) -> tuple[ConsoleMessage, ...]:
    """Explain each message about CORS in a browser's console.

    Line breaks, prefixes such as ``[Error]`` or ``index.html:1``, and straight quotes make no
    difference.

    Args:
        text: The copied text of Chromium, Firefox or Safari, in English; the first 2**16 characters
            are read.

    Returns:
        A message for each refused request, equal ones once; none if no line is about CORS or the
        network.
    """
    straight = " ".join(text[:MAX_CONSOLE_CHARACTERS].translate(_QUOTES).split())
    messages = dict.fromkeys(islice(_merge(_find_messages(straight)), _MAX_MESSAGES))
    return tuple(map(_explain, messages))


class _Pattern:
    """A text of a browser: a regex up to its ``{value}``, and the literal after it."""

    def __init__(self, browser: Browser, key: str, template: str) -> None:
        self.browser: Browser = browser
        self.reason = key.partition("/")[0]
        straight = template.translate(_QUOTES).partition(" Status code:")[0]
        before, value, after = straight.partition("{value}")
        self.has_value = bool(value)
        self.after = f"{after})" if browser == "firefox" else after
        # Every other piece is a field.
        pieces = enumerate(_FIELD.split(before))
        self.source = "".join(_field(piece) if i % 2 else re.escape(piece) for i, piece in pieces)
        if before.endswith("}"):
            self.source += r"(?=\s|\Z)"
        self.compiled = re.compile(self.source)


def _field(name: str) -> str:
    if name == "kind":
        return r"[\w ]{1,30}"
    if name == "redirected":
        return rf"(?:\(redirected from '(?P<first>\S{{1,{_LONGEST_VALUE}}}?)'\) )?"
    return rf"(?P<{name}>\S{{1,{_LONGEST_VALUE}}}?)"


def _rows(browser: Browser, table: Mapping[str, str]) -> Iterator[tuple[Browser, str, str]]:
    return ((browser, key, template) for key, template in table.items())


_HEADS: dict[str, _Pattern] = {
    "chromium": _Pattern("chromium", "", texts.CHROMIUM_HEAD),
    "firefox": _Pattern("firefox", "", texts.FIREFOX_HEAD),
    "warning": _Pattern("firefox", "", texts.FIREFOX_WARNING),
    "tail": _Pattern("safari", "", texts.WEBKIT_TAIL.removeprefix("{kind}")),
}
_PATTERNS: dict[str, _Pattern] = {
    f"text{number}": _Pattern(browser, key, template)
    for number, (browser, key, template) in enumerate(
        (
            # Chromium's first: some of WebKit's are the beginning of one of them.
            *_rows("chromium", texts.CHROMIUM),
            *_rows("firefox", texts.FIREFOX),
            *_rows("safari", texts.WEBKIT),
            *_TEXTS_OF_OTHER_VERSIONS,
        )
    )
}
_SOURCES = {
    **{name: pattern.source for name, pattern in (_HEADS | _PATTERNS).items()},
    "network": r"net::ERR_\w{1,64}",
}
_FIRST = "".join({source.lstrip("\\")[0] for source in _SOURCES.values()})
_START = re.compile(
    # For speed: most characters begin no text.
    f"(?=[{re.escape(_FIRST)}])(?:"
    + "|".join(
        f"(?P<{name}>{re.sub(r'[?]P<[a-z]+>', '?:', source)})" for name, source in _SOURCES.items()
    )
    + ")"
)


def _find_messages(text: str) -> Iterator[ConsoleMessage]:
    """Yield a message for each text, in order; several may be about one request."""
    head: ConsoleMessage | None = None
    place = 0
    while (start := _START.search(text, place)) is not None:
        kind, gap, place = str(start.lastgroup), text[place : start.start()], start.end()
        if kind in _PATTERNS:
            message, place = _read_text(_PATTERNS[kind], text, start)
            if head is not None and head.browser == message.browser and gap in _GAPS:
                message = replace(
                    message,
                    url=head.url,
                    redirected_from=head.redirected_from,
                    origin=message.origin or head.origin,
                )
            elif head is not None:
                yield head
            head = None
            yield _with_others(message, is_preflight=gap == texts.CHROMIUM_PREFLIGHT)
            continue
        if head is not None:
            yield head
            head = None
        if kind == "network":
            yield _read_network_error(text, start)
            continue
        pattern = _HEADS[kind]
        message = _with_fields(ConsoleMessage(pattern.browser, _UNKNOWN), pattern, text, start)
        if kind == "tail":
            yield replace(message, others=("redirect-leaves-origin",))
        else:
            head = _with_failure(message, text[place : place + _LONGEST_VALUE])
    if head is not None:
        yield head


def _read_text(pattern: _Pattern, text: str, start: re.Match[str]) -> tuple[ConsoleMessage, int]:
    """Return the message of a text, and the place behind it."""
    place, value = start.end(), None
    if pattern.has_value and not pattern.after:
        following = _START.search(text, place)
        value = text[place : following.start() if following else None]
        value = value.strip().removesuffix("Fetch API").removesuffix("XMLHttpRequest")
    elif pattern.has_value:
        # Several texts may begin alike: the one whose end comes first is meant.
        alike = [other for other in _PATTERNS.values() if other.source == pattern.source]
        ends = {_end(text, place, other): other for other in alike}
        end = min(ends)
        pattern = ends[end]
        value = text[place:end]
        place = min(end + len(pattern.after), len(text))
    status = _STATUS.match(text, place)
    message = ConsoleMessage(
        pattern.browser,
        pattern.reason,
        value=None if value is None else escaped(value.strip()),
        status=int(status[1]) if status else None,
    )
    return _with_fields(message, pattern, text, start), place


def _end(text: str, place: int, pattern: _Pattern) -> int:
    """Return the end of a value: the literal after it, or the longest value without one."""
    longest = min(place + _LONGEST_VALUE, len(text))
    end = text.find(pattern.after, place, longest + len(pattern.after))
    return longest if end < 0 else end


def _with_fields(
    message: ConsoleMessage, pattern: _Pattern, text: str, start: re.Match[str]
) -> ConsoleMessage:
    matched = pattern.compiled.match(text, start.start())
    fields = matched.groupdict() if matched else {}
    origin, method, header = fields.get("origin"), fields.get("method"), fields.get("header")
    return replace(
        message,
        url=_url(fields.get("url")),
        redirected_from=_url(fields.get("first")),
        origin=origin if origin and (origin == OPAQUE_ORIGIN or parse_origin(origin)) else None,
        method=method if method and is_token(method) else None,
        header=header.lower() if header and is_token(header) else None,
    )


def _with_failure(message: ConsoleMessage, text: str) -> ConsoleMessage:
    """Return a message with the network error that a text names, if any."""
    failure = network_error(text)
    if failure is None:
        return message
    return replace(message, reason=failure.code, message=failure.message, hint=failure.hint)


def _read_network_error(text: str, start: re.Match[str]) -> ConsoleMessage:
    """Return the message of ``GET https://a.example/ net::ERR_FAILED 200 (OK)``."""
    before = text[max(0, start.start() - _LONGEST_VALUE) : start.start()].split()[-2:]
    url = _url(before[-1]) if before else None
    method = before[0] if url and len(before) > 1 and is_token(before[0]) else None
    status = re.compile(r" (\d{3})\b").match(text, start.end())
    # ERR_FAILED is the second line of a refusal by CORS, and names no reason.
    reason = _CHROMIUM_ERRORS.get(start[0], _UNKNOWN)
    message = ConsoleMessage(
        "chromium",
        reason,
        (*_CHECK_REASONS, "redirect-refused") if reason == "redirect-invalid" else (),
        url=url,
        method=method,
        status=int(status[1]) if status else None,
    )
    return message if reason != _UNKNOWN else _with_failure(message, start[0])


def _with_others(message: ConsoleMessage, *, is_preflight: bool) -> ConsoleMessage:
    """Return a message with the other reasons for which a browser writes its text."""
    browser, reason = message.browser, message.reason
    others: tuple[str, ...] = ()
    if reason == "network-error":
        others = (*_REDIRECT_REASONS, "redirect-refused", *_CHECK_REASONS)
        return replace(message, others=others)
    if browser == "safari":
        if reason == "preflight-not-ok" and message.status in REDIRECT_STATUSES:
            reason = "preflight-redirected"
        elif reason == "no-allow-origin":
            others = ("origin-mismatch",)
        elif reason == "redirect-invalid":
            # WebKit reports this before its other checks, so that they may fail, too.
            others = (*_CHECK_REASONS, "redirect-refused", "resource-policy-refused")
    else:
        if browser == "firefox" and reason == "origin-mismatch" and "," in (message.value or ""):
            reason = "multiple-allow-origin"
        if reason == "multiple-allow-origin":
            others = ("origin-mismatch",)
        elif reason == "method-not-allowed" and browser == "firefox":
            others = ("invalid-allow-headers",)
        # Chromium and Firefox check the headers of a preflight before its status.
        if reason in _CHECK_REASONS and (is_preflight or browser == "firefox"):
            others += _STATUS_REASONS
        elif reason == "preflight-not-ok":
            others = ("preflight-redirected",)
        elif reason == "redirect-with-credentials" and browser == "chromium":
            # Chromium finds this before it looks at the request's redirect mode.
            others = ("redirect-refused",)
    is_preflight = is_preflight or reason in _PREFLIGHT_REASONS
    return replace(message, reason=reason, others=others, is_preflight=is_preflight)


def _merge(messages: Iterable[ConsoleMessage]) -> Iterator[ConsoleMessage]:
    """Yield one message for the lines about each request."""
    last: ConsoleMessage | None = None
    for message in messages:
        joined = None if last is None else _join(last, message)
        if joined is None and last is not None:
            yield last
        last = joined or message
    if last is not None:
        yield last


def _join(last: ConsoleMessage, line: ConsoleMessage) -> ConsoleMessage | None:
    """Return the last message with a further line about its request; None if it is about none."""
    if last.browser != line.browser:
        return None
    if line.browser == "safari":
        # WebKit's last line has the URL.
        is_tail = line.reason == _UNKNOWN and last.url in (None, line.url)
        return replace(last, url=line.url) if is_tail else None
    if line.browser == "chromium":
        if line.reason != _UNKNOWN or last.url is None:
            return None
        return replace(last, method=last.method or line.method, status=last.status or line.status)
    # Firefox writes a second line about most failures, and a third about a redirected preflight.
    follows = line.reason == "network-error" or last.reason == "preflight-redirected"
    return last if follows and last.url == line.url else None


def _url(text: str | None) -> str | None:
    target = parse_url(text.strip("'")) if text else None
    return None if target is None else replace(target, userinfo="").without_fragment


def _request(message: ConsoleMessage, headers: HeadersInput = ()) -> Request:
    """Return the script's request, as far as it is known."""
    request = Request(
        "GET",
        message.url or _SERVER,
        origin=message.origin or _PAGE,
        headers=headers,
        credentials="include" if message.reason in _CREDENTIALS_REASONS else "same-origin",
    )
    return request if message.method is None else derived(request, method=message.method)


def _explain(message: ConsoleMessage) -> ConsoleMessage:
    """Return a message with its cause, its fix and the command that asks the server."""
    line = None
    if message.url is not None:
        line = probe_line(_request(message), () if message.header is None else (message.header,))
        line = line.replace(_PAGE, "ORIGIN")
        if message.is_preflight and message.method is None and message.header is None:
            # A GET without headers needs no preflight.
            line = f"{line} --method METHOD"
    if message.reason in REASONS:
        message = _with_cause(message)
    elif message.reason == _UNKNOWN:
        message = replace(
            message,
            message="The line does not say why: browsers write that on a line of its own.",
            hint="copy the line above it, too",
        )
    elif not message.message:
        message = replace(message, message=_NO_RESPONSE, hint=NETWORK_HINT)
    return replace(message, probe_line=line)


def _with_cause(message: ConsoleMessage) -> ConsoleMessage:
    """Return a message with the cause and the fix of an exchange that it may be about."""
    reason: Any = message.reason
    received: list[tuple[str, str]] = []
    if reason in ("origin-mismatch", "multiple-allow-origin"):
        received.append((ACCESS_CONTROL_ALLOW_ORIGIN, message.value or ""))
    if reason == "authorization-needs-explicit":
        received.append((ACCESS_CONTROL_ALLOW_HEADERS, WILDCARD))
    header = AUTHORIZATION if reason == "authorization-needs-explicit" else message.header
    # This value makes any header need a preflight.
    request = _request(message, [(header, '"(')] if header else ())
    if (
        message.redirected_from is not None
        and message.origin is not None
        and message.value == message.origin
    ):
        # Chromium names the page's origin, and the redirected request had null.
        request = derived(request, origin=OPAQUE_ORIGIN, redirects=1)
    is_preflight = message.reason.startswith("preflight")
    status = message.status or 0
    exchange = Exchange(
        request.method, request.url, (), status, tuple(received), is_preflight, request, reason
    )
    refined, text, hint = cause(reason, exchange)
    is_unknown_method = reason == "method-not-allowed" and message.method is None
    if is_unknown_method or (is_preflight and message.status is None):
        text = f"{REASONS[reason][0].upper()}{REASONS[reason][1:]}."
    if is_unknown_method:
        hint = "list the script's method in Access-Control-Allow-Methods, in upper case in both"
    others = message.others if refined == reason else (reason, *message.others)
    if reason == "no-allow-origin" and is_gateway_error(exchange):
        others = ("gateway-error", *others)
    elif reason == "no-allow-origin" and is_bare_error(exchange):
        others = ("missing-on-error", *others)
    return replace(
        message,
        reason=refined,
        others=others,
        message=text,
        hint=hint.replace(shown(_PAGE), "the origin of the page"),
    )
