"""The differences for browsers between an old stack and the policies that replace it.

The browser model sends the same requests through both: which pages may read, at which paths, with
which methods and headers, and which headers of the response. The options are not compared.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import islice
from typing import TYPE_CHECKING, Any
from urllib.parse import quote, urlsplit

from corscore import ConfigError, Policy
from corscore.browser import FetchResult, Request, fetch
from corscore.diagnostics import probe
from corscore_cli.migrate.stack import SERVER
from corscore_cli.shell.options import header_value
from corscore_cli.targets.regex import sample

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from corscore import PolicyMap
    from corscore.browser import Credentials
    from corscore.diagnostics import Finding
    from corscore.integration import PathPolicy
    from corscore_cli.migrate.stack import OldLayer, OldStack

_STRANGER = "https://stranger.example"
_METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "QUERY")
_HEADERS = ("Content-Type", "Authorization", "X-Requested-With", "X-Corscore-Other")
_MAX_ORIGINS = 40
_MAX_PAGES = 6
_MAX_PATHS = 200
_MAX_AUDITED = 8
_SHOWN = 4
_READABLE = "readable"
# The audit of `corscore probe` has other findings, too, which are about a live server.
_INSECURE = (
    "reflects-any-origin",
    "null-allowed",
    "look-alike-allowed",
    "insecure-origin-allowed",
    "wildcard-with-credentials",
)


@dataclass(frozen=True, slots=True)
class Difference:
    """A request of a script with another result after the move.

    Attributes:
        what: The request, in words.
        before: The result under the old stack: ``"readable"``, or why not.
        after: The result under the policies.
        request: The request, or None where the result depends on the application.
    """

    what: str
    before: str
    after: str
    request: Request | None = None

    def to_dict(self) -> dict[str, str]:
        """Return a dict for JSON."""
        return {"what": self.what, "before": self.before, "after": self.after}


class Comparison:
    """An old stack and the policies that replace it; None allows no origin."""

    def __init__(self, stack: OldStack, policies: PathPolicy | PolicyMap) -> None:
        self._stack = stack
        self._old = stack.send
        self._new = stack.replacement(policies)

    def differences(self) -> list[Difference]:
        """Return the differences at one path of each layer, then those at other paths."""
        found = [one for layer in self._stack.layers for one in self._compare_layer(layer)]
        found += self._compare_paths()
        if self._stack.unknown is not None:
            found.append(Difference(*self._stack.unknown))
        return list(dict.fromkeys(found))

    def _compare_layer(self, layer: OldLayer) -> Iterator[Difference]:
        url = _url(layer)
        where = f" at {layer.paths.text}" if layer.paths.text else ""
        origins = _origins(layer)
        for origin in origins:
            requests = [_request(url, origin, credentials) for credentials in (False, True)]
            results = list(map(self._results, requests))
            page = f"a page of {origin}{where}"
            if results[0] == results[1]:
                yield from _difference(page, results[0], requests[0])
            else:
                yield from _difference(f"{page}, without credentials", results[0], requests[0])
                yield from _difference(f"{page}, with credentials", results[1], requests[1])
        pages = ((origin, credentials) for credentials in (True, False) for origin in origins)
        readable = (_READABLE, _READABLE)
        for origin, credentials in pages:
            if self._results(_request(url, origin, credentials)) == readable:
                yield from self._compare_page(layer, url, origin, credentials, where)
                return

    def _compare_page(
        self, layer: OldLayer, url: str, origin: str, credentials: bool, where: str
    ) -> Iterator[Difference]:
        """Compare methods and headers, for a page that may read before and after."""
        for method in dict.fromkeys((*_METHODS, *_named_items(layer.options, "allow_methods"))):
            what = f"the method {method}, after a preflight{where}"
            simple = method in ("GET", "HEAD", "POST")
            yield from self._compare_request(
                what, url, origin, credentials, method=method, use_cors_preflight=simple
            )
        for name in dict.fromkeys((*_HEADERS, *_named_items(layer.options, "allow_headers"))):
            header = (name, header_value(name))
            what = f"the request header {name}{where}"
            yield from self._compare_request(what, url, origin, credentials, headers=[header])
        request = _request(url, origin, credentials)
        # Other headers are those of a framework.
        compared = {name.lower() for name in self._stack.exposed()}
        before, after = (
            compared.intersection(name for name, _ in fetch(request, send).headers)
            for send in (self._old, self._new)
        )
        for name in sorted(before ^ after):
            words = ("readable", "hidden") if name in before else ("hidden", "readable")
            yield Difference(f"the response header {name}{where}", *words, request)

    def _compare_request(self, what: str, *page: Any, **script: Any) -> Iterator[Difference]:
        try:
            request = _request(*page, **script)
        except ValueError:
            # No script can send such a request.
            return
        yield from _difference(what, self._results(request), request)

    def _compare_paths(self) -> Iterator[Difference]:
        """Compare paths inside and just outside of what each layer covers."""
        layers = [layer for layer in self._stack.layers if layer.paths.text]
        pages = self._pages() if layers else []
        for layer in layers:
            paths = layer.paths
            found = list(self._compare_near_paths(layer, pages))
            yield from found
            if not (paths.is_exact or found):
                keys = ", ".join(key for key, _ in paths.keys) or "no key"
                what = f"paths that {paths.text} covers, and {keys} does not"
                yield Difference(what, "with this policy", "without")

    def _compare_near_paths(
        self, layer: OldLayer, pages: list[tuple[str, bool]]
    ) -> Iterator[Difference]:
        grouped: dict[tuple[str, str, str], dict[str, Request]] = {}
        for origin, credentials in pages:
            for path in islice(dict.fromkeys(layer.paths.near), _MAX_PATHS):
                request = _request(f"{SERVER}{quote(path)}", origin, credentials)
                for one in _difference(path, self._results(request), request):
                    # The same difference with and without credentials is listed once.
                    same = grouped.setdefault((origin, one.before, one.after), {})
                    same.setdefault(path, request)
        for (origin, before, after), differing in grouped.items():
            more = f" and {len(differing) - _SHOWN} more" if len(differing) > _SHOWN else ""
            what = f"a page of {origin} at {', '.join(list(differing)[:_SHOWN])}{more}"
            yield Difference(what, before, after, next(iter(differing.values())))

    def _pages(self) -> list[tuple[str, bool]]:
        """Return pages to compare paths with: a reader of each layer, and a stranger."""
        found: dict[tuple[str, bool], None] = {}
        for layer in self._stack.layers:
            urls = (f"{SERVER}{quote(path)}" for path in (_path(layer), *layer.paths.near[:_SHOWN]))
            found |= dict.fromkeys(
                page for url in urls for page in islice(self._readers(url, layer), 1)
            )
        return [*islice(found, _MAX_PAGES), (_STRANGER, False)]

    def _readers(self, url: str, layer: OldLayer) -> Iterator[tuple[str, bool]]:
        for origin in _origins(layer):
            for credentials in (True, False):
                if fetch(_request(url, origin, credentials), self._old).readable:
                    yield origin, credentials

    def insecure(self) -> list[Finding]:
        """Return what the audit of ``corscore probe`` finds about the old stack, once a code."""
        found: dict[str, Finding] = {}
        for layer in self._stack.layers:
            origins = dict.fromkeys((*_named_origins(layer.options), _STRANGER))
            if _is_public(layer.options):
                continue
            for origin in islice(origins, _MAX_AUDITED):
                diagnosis = probe(_request(_url(layer), origin, True), self._old, audit=True)
                for finding in diagnosis.findings:
                    if finding.code in _INSECURE:
                        found.setdefault(finding.code, finding)
        if "reflects-any-origin" in found:
            # Any origin includes look-alikes and http origins.
            found.pop("look-alike-allowed", None)
            found.pop("insecure-origin-allowed", None)
        return [found[code] for code in _INSECURE if code in found]

    def _results(self, request: Request) -> tuple[str, str]:
        return _result(fetch(request, self._old)), _result(fetch(request, self._new))


def _request(
    url: str, origin: str, credentials: bool, method: str = "GET", **script: Any
) -> Request:
    mode: Credentials = "include" if credentials else "omit"
    return Request(method, url, origin=origin, credentials=mode, **script)


def _result(result: FetchResult) -> str:
    return _READABLE if result.readable else f"refused: {result.reason}"


def _difference(what: str, results: tuple[str, str], request: Request) -> Iterator[Difference]:
    # A script cannot tell two refusals apart.
    if (results[0] == _READABLE) != (results[1] == _READABLE):
        yield Difference(what, *results, request)


def _url(layer: OldLayer) -> str:
    return f"{SERVER}{quote(_path(layer))}"


def _path(layer: OldLayer) -> str:
    """Return a path that a layer covers, in the old stack and in the new one."""
    paths = layer.paths
    keys = [key for key, has_policy in paths.keys if has_policy and key != "/*"]
    below = (f"{key[:-1]}x" for key in keys if key.endswith("/*"))
    return next(below, next(iter((*keys, *paths.near))))


def _is_public(options: Mapping[str, Any]) -> bool:
    """Whether every origin is meant to read, without credentials."""
    return "*" in _texts(options, "allow_origins") and not options.get("allow_credentials")


def _named_items(options: Mapping[str, Any], name: str) -> list[str]:
    return [item for item in _texts(options, name) if item != "*"]


def _texts(options: Mapping[str, Any], name: str) -> list[str]:
    value = options.get(name)
    items = value if isinstance(value, (list, tuple, set, frozenset)) else [value]
    return [item for item in items if isinstance(item, str) and item]


def _origins(layer: OldLayer) -> list[str]:
    """Return origins to compare: a stranger, null, the listed ones, neighbours, look-alikes."""
    named = list(_named_origins(layer.options))
    near = (other for origin in named for other in (origin, *_neighbours(origin)))
    alike = (other for origin in named for other in _look_alikes(origin))
    return list(islice(dict.fromkeys((_STRANGER, "null", *near, *alike)), _MAX_ORIGINS))


def _named_origins(options: Mapping[str, Any]) -> Iterator[str]:
    """Yield an origin for each item of the list, and one that the regex matches."""
    for item in _texts(options, "allow_origins"):
        candidates = (item, item.rstrip("/").lower(), f"https://{item}")
        starred = [one.replace("*.", "a.").replace(":*", ":8080") for one in candidates]
        yield from _first_origin((*candidates, *starred))
    regex = options.get("allow_origin_regex")
    if regex is not None:
        text = sample(getattr(regex, "pattern", regex)) or ""
        # `https://*.example.com` as a regex repeats the slash, and its first dot is any character.
        yield from _first_origin((text, text.replace("//.", "//a", 1)))


def _first_origin(texts: Iterable[str]) -> Iterator[str]:
    for text in texts:
        try:
            Policy(allow_origins=[text])
        except ConfigError:
            continue
        if "*" not in text:
            yield text
            return


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


def _look_alikes(origin: str) -> Iterator[str]:
    """Yield origins that a careless comparison would take for this one."""
    parts = urlsplit(origin)
    host = parts.hostname or ""
    if "." not in host or host.startswith("[") or host.replace(".", "").isdigit():
        return
    first, _, rest = host.partition(".")
    domain = rest if "." in rest else host
    for other in (f"{host}.stranger.example", f"stranger{domain}", f"{first}x{rest}"):
        yield f"{parts.scheme}://{other}"
