"""What changes for browsers from an old layer of CORS to a policy, and what the old one let in.

Both are asked by the model browser, one question at a time: who may read, with which methods and
headers, and what of the response. Nothing is concluded from the options.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import islice
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from corscore import ConfigError, Policy, RequestInfo
from corscore.browser import FetchResult, Request, fetch
from corscore.diagnostics import Finding
from corscore_cli.migrate.libraries import exposed_of
from corscore_cli.targets.samples import sample

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from corscore.browser import Credentials
    from corscore_cli.migrate.libraries import Old, Pairs, Transport

_STRANGER = "https://stranger.example"
_METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "QUERY")
_HEADERS = ("Content-Type", "Authorization", "X-Requested-With", "X-Corscore-Other")
_VALUES = {"content-type": "application/json"}
_MOST_ORIGINS = 40
_READABLE = "readable"


@dataclass(frozen=True, slots=True)
class Difference:
    """One thing that a browser does otherwise.

    Attributes:
        what: What a script asks for.
        before: What comes of it under the old layer: ``"readable"``, or why not.
        after: The same under the policy.
    """

    what: str
    before: str
    after: str

    def to_dict(self) -> dict[str, str]:
        """All of it in a dict, as JSON has it."""
        return {"what": self.what, "before": self.before, "after": self.after}


class Comparison:
    """An old layer and the policy in its place; None for a policy that there is none of."""

    def __init__(self, old: Old, policy: Policy | None) -> None:
        self._old = old
        self._options = old.options
        names = exposed_of(old.options)
        self._new = _transport(policy, [(name, "1") for name in names])
        self._origins = list(dict.fromkeys(islice(_origins(old.options), _MOST_ORIGINS)))

    def differences(self) -> list[Difference]:
        """All that a browser does otherwise."""
        found = []
        for origin in self._origins:
            both = [self._outcomes(origin, mode) for mode in (False, True)]
            if both[0] == both[1]:
                found += _difference(f"a page of {origin}", both[0])
            else:
                found += _difference(f"a page of {origin}, without credentials", both[0])
                found += _difference(f"a page of {origin}, with credentials", both[1])
        return found + self._of_an_allowed_origin()

    def _outcomes(self, origin: str, credentials: bool, **script: Any) -> tuple[str, str]:
        request = self._request(origin, credentials, **script)
        return _words(fetch(request, self._old.transport)), _words(fetch(request, self._new))

    def _request(
        self, origin: str, credentials: bool, method: str = "GET", **script: Any
    ) -> Request:
        mode: Credentials = "include" if credentials else "omit"
        return Request(method, self._old.url, origin=origin, credentials=mode, **script)

    def _of_an_allowed_origin(self) -> list[Difference]:
        """Methods and headers, for a page that may read both before and after."""
        readable = (_READABLE, _READABLE)
        pages = ((origin, mode) for mode in (True, False) for origin in self._origins)
        page = next((one for one in pages if self._outcomes(*one) == readable), None)
        if page is None:
            return []
        found = []
        for method in dict.fromkeys((*_METHODS, *_names(self._options, "allow_methods"))):
            given = {"method": method, "use_cors_preflight": method in ("GET", "HEAD", "POST")}
            found += self._asked(page, f"the method {method}, after a preflight", **given)
        for name in dict.fromkeys((*_HEADERS, *_names(self._options, "allow_headers"))):
            value = _VALUES.get(name.lower(), "1")
            found += self._asked(page, f"the request header {name}", headers=[(name, value)])
        # Of the others, each framework sends some of its own.
        compared = {name.lower() for name in exposed_of(self._options)}
        before, after = (
            compared.intersection(name for name, _ in fetch(self._request(*page), one).headers)
            for one in (self._old.transport, self._new)
        )
        for name in sorted(before ^ after):
            found.append(
                Difference(
                    f"the response header {name}",
                    _READABLE if name in before else "hidden",
                    _READABLE if name in after else "hidden",
                )
            )
        return found

    def _asked(self, page: tuple[str, bool], what: str, **script: Any) -> list[Difference]:
        try:
            return _difference(what, self._outcomes(*page, **script))
        except ValueError:
            # What no script can ask for makes no difference.
            return []

    def insecure(self) -> list[Finding]:
        """What the old layer lets strangers do, by the codes of ``corscore probe --audit``."""
        found = []
        strangers = self._readers([_STRANGER])
        is_any = bool(strangers) and not self._is_star()
        if is_any:
            found.append(_reflects(strangers))
        if self._readers(["null"]) and not self._is_star():
            found.append(
                Finding(
                    "null-allowed",
                    'pages of the origin "null" may read: any site can make such a frame.',
                    "give the page that needs it an origin of its own",
                )
            )
        if is_any or self._is_star():
            return found
        alike = self._readers(_look_alikes(self._options))
        if alike:
            found.append(
                Finding(
                    "look-alike-allowed",
                    f"strangers can have names that pass: {', '.join(list(alike)[:3])}.",
                    "write origins or patterns; in a regex escape the dots, and match all of it",
                )
            )
        insecure = {
            origin: modes
            for origin, modes in self._readers(_downgraded(self._options)).items()
            if True in modes
        }
        if insecure:
            found.append(
                Finding(
                    "insecure-origin-allowed",
                    f"plain http may read with credentials: {', '.join(list(insecure)[:3])}.",
                    "serve those pages over https, and drop the http origins",
                )
            )
        return found

    def _readers(self, origins: Iterable[str]) -> dict[str, list[bool]]:
        """Origins whose pages the old layer lets read, with the credentials modes."""
        found: dict[str, list[bool]] = {}
        for origin in islice(dict.fromkeys(origins), _MOST_ORIGINS):
            modes = [
                mode
                for mode in (False, True)
                if fetch(self._request(origin, mode), self._old.transport).readable
            ]
            if modes:
                found[origin] = modes
        return found

    def _is_star(self) -> bool:
        """Whether everybody is allowed and nobody with credentials: no risk, if it is meant."""
        return "*" in _listed(self._options, "allow_origins") and not self._options.get(
            "allow_credentials"
        )


def _reflects(strangers: Mapping[str, list[bool]]) -> Finding:
    with_credentials = any(True in modes for modes in strangers.values())
    how = ", and with your visitors' cookies" if with_credentials else ""
    return Finding(
        "reflects-any-origin",
        f"pages of any origin may read{how}: {_STRANGER} did.",
        "list the origins that are yours",
    )


def _words(result: FetchResult) -> str:
    return _READABLE if result.readable else f"refused: {result.reason}"


def _difference(what: str, outcomes: tuple[str, str]) -> list[Difference]:
    before, after = outcomes
    # Two refusals are the same to a script, whatever the browser says about them.
    return (
        [Difference(what, before, after)] if (before == _READABLE) != (after == _READABLE) else []
    )


def _transport(policy: Policy | None, headers: Pairs) -> Transport:
    """A server with the policy, whose application answers 200 with these headers."""

    def send(method: str, _url: str, sent: Pairs) -> tuple[int, Pairs]:
        names = {name.lower(): value for name, value in sent}
        if policy is None:
            return 200, headers
        decision = policy.decide(
            RequestInfo.from_getter(method, lambda name: names.get(name.lower()))
        )
        if decision.is_preflight:
            return decision.status or 200, list(decision.headers)
        return 200, list(decision.apply(headers))

    return send


def _listed(options: Mapping[str, Any], name: str) -> list[str]:
    value = options.get(name)
    items = value if isinstance(value, (list, tuple, set, frozenset)) else [value]
    return [item for item in items if isinstance(item, str) and item]


def _names(options: Mapping[str, Any], name: str) -> list[str]:
    return [item for item in _listed(options, name) if item != "*"]


def _origins(options: Mapping[str, Any]) -> Iterator[str]:
    """Origins to ask about: those that are listed, what lies next to them, and strangers."""
    yield from (_STRANGER, "null")
    for origin in _named(options):
        yield origin
        yield from _neighbours(origin)
    yield from _look_alikes(options)


def _named(options: Mapping[str, Any]) -> Iterator[str]:
    """An origin for each item of the list, and one that the regex matches."""
    for item in _listed(options, "allow_origins"):
        candidates = (item, item.rstrip("/").lower(), f"https://{item}")
        starred = [one.replace("*.", "a.").replace(":*", ":8080") for one in candidates]
        found = next(filter(_is_origin, (*candidates, *starred)), None)
        if found is not None:
            yield found
    regex = options.get("allow_origin_regex")
    if regex is not None:
        source = getattr(regex, "pattern", regex)
        # What a match at the start leaves open is an origin by itself, most of the time.
        text = sample(source) or ""
        # Of `https://*.example.com`, which as a regex has no star: a dot is any character.
        found = next(filter(_is_origin, (text, text.replace("//.", "//a", 1))), None)
        if found is not None:
            yield found


def _is_origin(text: str) -> bool:
    if "*" in text:
        return False
    try:
        Policy(allow_origins=[text])
    except ConfigError:
        return False
    return True


def _neighbours(origin: str) -> Iterator[str]:
    parts = urlsplit(origin)
    scheme, host = parts.scheme, parts.hostname or ""
    port = f":{parts.port}" if parts.port else ""
    for other in ("https", "http"):
        if scheme in ("http", "https") and other != scheme:
            yield f"{other}://{host}{port}"
    if not port and not host.startswith("["):
        yield f"{scheme}://{host}:8443"
    if "." in host and not host.replace(".", "").isdigit():
        yield f"{scheme}://sub.{host}{port}"


def _look_alikes(options: Mapping[str, Any]) -> Iterator[str]:
    """Origins that strangers can have, and that a careless comparison takes for one of these."""
    for origin in _named(options):
        parts = urlsplit(origin)
        host = parts.hostname or ""
        if "." not in host or host.startswith("[") or host.replace(".", "").isdigit():
            continue
        yield f"{parts.scheme}://{host}.stranger.example"
        below, own = _registrable(host)
        yield f"{parts.scheme}://stranger{own}"
        if below:
            yield f"{parts.scheme}://{below}x{own}"


def _registrable(host: str) -> tuple[str, str]:
    """What somebody owns of a host, and what they put below it: ``"a", "example.co.uk"``.

    By the look of it, which is enough to think of a name that is another owner's.
    """
    labels = host.split(".")
    is_country = len(labels[-1]) == 2 and len(labels) > 2 and len(labels[-2]) <= 3
    count = 3 if is_country else 2
    return ".".join(labels[:-count]), ".".join(labels[-count:])


def _downgraded(options: Mapping[str, Any]) -> Iterator[str]:
    for origin in _named(options):
        parts = urlsplit(origin)
        host = parts.hostname or ""
        is_local = host in ("localhost", "[::1]", "::1") or host.startswith("127.")
        if not is_local and not host.endswith(".localhost"):
            yield origin.replace("https://", "http://", 1)
