"""Cases of the differential suite, made from a seed: fetches, and the answers to them.

A case is plain JSON. ``{page}``, ``{a}``, ``{b}`` and ``{c}`` are origins: the page's and others.
The steps of a case are fetches of one URL, so that they share the preflight cache.
"""

from __future__ import annotations

import json
import random
from typing import Any

_METHODS = ["GET"] * 4 + ["POST"] * 3 + ["PUT"] * 4 + ["DELETE", "PATCH", "HEAD", "patch", "put"]
_METHODS += ["X-ODD", "get"]
_HEADERS = [
    ("X-One", "1"),
    ("X-One", "1"),
    ("X-Two", "2"),
    ("X-Two", "2"),
    ("Authorization", "Bearer token"),
    ("Authorization", "Bearer token"),
    ("Content-Type", "application/json"),
    ("Content-Type", "text/plain"),
    ("Content-Type", "text/plain; charset=x"),
    ("Content-Type", "text/plain, text/plain"),
    ("Accept", "application/json"),
    ("Accept", "a(b"),
    ("Accept", "\xe9"),
    ("Accept-Language", "de"),
    ("Accept-Language", "de_AT"),
    ("Content-Language", "de"),
    ("Content-Language", "d" * 129),
    ("Range", "bytes=0-"),
    ("Range", "bytes=0-5"),
    ("Range", "bytes=-5"),
    ("Range", "bytes=5-1"),
    ("Range", "Bytes=0-1"),
    ("Range", "bytes=0-" + "9" * 20),
    ("If-None-Match", '"x"'),
    ("Cache-Control", "no-cache"),
    ("User-Agent", "other"),
    ("DPR", "2"),
    ("Downlink", "1"),
    ("Save-Data", "on"),
    ("Width", "100"),
    ("Viewport-Width", "100"),
    ("Device-Memory", "1"),
    ("Last-Event-ID", "1"),
    ("Sec-Forbidden", "1"),
    ("RTT", "1"),
    ("ECT", "4g"),
    ("DPR", "x"),
    ("Save-Data", "off"),
    ("X-HTTP-Method", "TRACE"),
]
_REDIRECTS = [301, 302, 303, 307, 308]
_STATUSES = [200] * 12 + [201, 204, 299, 300, 304, 400, 401, 403, 404, 405, 500, 503]
_EXPOSED = [
    "X-Exposed",
    "*",
    "*,X Y",
    "x-exposed, x-hidden",
    "X Y",
    "set-cookie",
    "",
    "X-Exposed,,",
]
_RESOURCE_POLICIES = [
    "same-origin",
    "same-site",
    "cross-origin",
    "Same-Origin",
    "same-origin,same-site",
]
_AGES = ["0", "600", "600", "600", "-1", "600s", "86400", "", "abc", "600,600", "+600", "6e2"]


def cases(seed: int, fetches: int) -> list[dict[str, Any]]:
    """Return the cases of a seed; the first ones of a seed are the same for any number."""
    source = random.Random(seed)  # noqa: S311
    made: list[dict[str, Any]] = []
    while sum(len(case["steps"]) for case in made) < fetches:
        made.append(_Case(source).made)
    # Tuples become lists, as in a case from a file.
    plain: list[dict[str, Any]] = json.loads(json.dumps(made))
    return plain


class _Case:
    """One case, drawn from a source of random numbers."""

    def __init__(self, source: random.Random) -> None:
        self._source = source
        self._frame = source.random() < 0.12
        self._page = "null" if self._frame else "{page}"
        self._host = self._pick(["a", "a", "b", "b", "c", "page"])
        hops = self._pick([1] * 6 + [2] * 3 + [3])
        self._hosts = [self._host]
        while len(self._hosts) < hops:
            self._hosts.append(self._pick([self._hosts[-1], "page", "a", "b", "c"]))
        steps = 1 if source.random() < 0.6 else source.randint(2, 4)
        first = self._script()
        scripts = [first] + [self._script(first) for _ in range(steps - 1)]
        self.made = {"steps": [self._step(script) for script in scripts]}

    def _pick(self, items: list[Any]) -> Any:
        return self._source.choice(items)

    def _often(self, chance: float) -> bool:
        return self._source.random() < chance

    def _script(self, like: dict[str, Any] | None = None) -> dict[str, Any]:
        if like is not None and self._often(0.5):
            return like
        names = self._source.sample(_HEADERS, self._pick([0, 0, 1, 1, 1, 2, 3]))
        headers: list[tuple[str, str]] = []
        for name, value in names:
            headers += [(name, value)] * (2 if self._often(0.04) else 1)
        return {
            "method": self._pick(_METHODS),
            "headers": headers,
            "credentials": self._pick(["omit", "same-origin", "same-origin", "include", "include"]),
        }

    def _step(self, script: dict[str, Any]) -> dict[str, Any]:
        xhr = self._often(0.15)
        init = dict(script)
        if xhr and init["credentials"] == "omit":
            init["credentials"] = "same-origin"  # XHR has no such mode
        upper = init["method"].upper()
        if upper not in ("GET", "HEAD") and self._often(0.4):
            init["body"] = "x"
        upload = xhr and self._often(0.3)
        if not xhr:
            self._choose_modes(init)
        return {
            "frame": self._frame,
            "url": f"{{{self._host}}}/f/{{case}}/0",
            "init": init,
            "xhr": xhr,
            "upload": upload,
            "hops": [self._hop(init, hop) for hop in range(len(self._hosts))],
        }

    def _choose_modes(self, init: dict[str, Any]) -> None:
        # Other combinations fail without a request: `Request` refuses them.
        is_own = self._host == "page" and not self._frame
        if self._often(0.2):
            init["mode"] = self._pick(["no-cors", "same-origin"] if is_own else ["no-cors"])
            if init["mode"] == "no-cors" and init["method"].upper() not in ("GET", "HEAD", "POST"):
                init["method"] = "POST"
        if self._often(0.15) and (is_own or init.get("mode") != "no-cors"):
            init["redirect"] = self._pick(["error", "manual"])

    def _hop(self, init: dict[str, Any], hop: int) -> dict[str, Any]:
        origin = self._page
        foreign = [host for host in self._hosts[: hop + 1] if host != "page"]
        if hop and len(set(foreign)) > 1 and self._often(0.9):
            origin = "null"
        odd = self._often(0.45)
        shared = self._origin_headers(origin, init, odd)
        preflight = list(shared if self._often(0.8) else self._origin_headers(origin, init, odd))
        preflight += self._permissions(init, odd)
        if hop + 1 < len(self._hosts):
            actual: tuple[int, Any] = (self._pick(_REDIRECTS), [*shared, *self._location(hop, odd)])
        else:
            actual = (self._pick(_STATUSES), [*shared, *self._plain()])
        if init.get("mode") == "no-cors" and self._often(0.4):
            policies = [self._pick(_RESOURCE_POLICIES)] * (2 if self._often(0.1) else 1)
            actual[1].extend(("Cross-Origin-Resource-Policy", value) for value in policies)
        status = self._pick([200, 200, 200, 204, 204, 204, 299])
        if odd and self._often(0.2):
            status = self._pick([301, 302, 307, 304, 400, 401, 404, 405, 500])
            if status in _REDIRECTS and self._often(0.6):
                preflight.append(("Location", "{b}/f/0/0"))
        return {"preflight": (status, preflight), "actual": actual}

    def _origin_headers(self, origin: str, init: dict[str, Any], odd: bool) -> Any:
        name = "Access-Control-Allow-Origin"
        right = origin if init["credentials"] == "include" or self._often(0.6) else "*"
        values = [right]
        if odd and self._often(0.4):
            values = self._pick(
                [
                    [],
                    [],
                    ["*"],
                    ["null"],
                    ["{b}"],
                    ["https://other.example"],
                    ["other.example"],
                    [f"{origin}/"],
                    [origin.upper()],
                    [f"{origin}, {origin}"],
                    [f"{origin}, *"],
                    ["*", "*"],
                    [origin, origin],
                    [origin, "https://other.example"],
                    ["*, *"],
                    [""],
                    ["**"],
                    ["file:///x"],
                    ["https://a.example https://b.example"],
                ]
            )
        made = [(name, value) for value in values]
        name = "Access-Control-Allow-Credentials"
        values = ["true"] if init["credentials"] == "include" or self._often(0.3) else []
        if odd and self._often(0.25):
            values = self._pick(
                [[], ["True"], ["true, true"], ["true", "true"], ["true", ""], ["false"], [""]]
            )
        return made + [(name, value) for value in values]

    def _permissions(self, init: dict[str, Any], odd: bool) -> Any:
        made = []
        method = init["method"]
        normal = method.upper() if method.upper() in ("PUT", "GET", "DELETE") else method
        values = self._pick([[normal], ["PUT, DELETE, PATCH", normal], [f"GET,{normal}"], ["*"]])
        if odd and self._often(0.25):
            bad = [[], ["PUT"], ["P U T"], [",PUT,,"], ["put"], ['"PUT"'], ["*"], ["PUT", "P U T"]]
            values = self._pick([*bad, [""], ["GET"]])
        made += [("Access-Control-Allow-Methods", value) for value in values]
        names = list(dict.fromkeys(name for name, _ in init["headers"]))
        values = self._pick([[", ".join(names)], [",".join(names).lower()], names, ["*"]])
        if self._often(0.15):
            values = ["*", "authorization"]
        if odd and self._often(0.25):
            bad = [[], ["X-One"], ["X One"], ["X-One,,X-Two"], ["*"], ["(x)"], ["X-One", "X One"]]
            values = self._pick([*bad, [""], ["authorization"], names[:1]])
        made += [("Access-Control-Allow-Headers", value) for value in values]
        if self._often(0.7):
            ages = ["60", "600"] if self._often(0.04) else [self._pick(_AGES)]
            made += [("Access-Control-Max-Age", value) for value in ages]
        return made

    def _plain(self) -> Any:
        made = [("X-Exposed", "1"), ("X-Hidden", "2")]
        if self._often(0.3):
            made += [("X-Exposed", "3"), ("Content-Type", "text/plain"), ("ETag", '"x"')]
        if self._often(0.1):
            made.append(("Set-Cookie2", "x"))
        for _ in range(self._pick([0, 1, 1, 2])):
            made.append(("Access-Control-Expose-Headers", self._pick(_EXPOSED)))
        return made

    def _location(self, hop: int, odd: bool) -> Any:
        path = f"/f/{{case}}/{hop + 1}"
        host = self._hosts[hop + 1]
        values = [f"{{{host}}}{path}"]
        if host == self._hosts[hop] and self._often(0.5):
            values = [path]
        if odd and self._often(0.3):
            values = self._pick(
                [
                    [],
                    [""],
                    values * 2,
                    [values[0], f"{{b}}{path}"],
                    [f"http://user:pw@{{{host} host}}{path}"],
                    [f"http://user@{{{host} host}}{path}"],
                    ["ftp://a.example/"],
                    ["data:,x"],
                    ["http://["],
                    [f"{{{self._hosts[hop]}}}/f/{{case}}/{hop}"],  # endless
                    [f"{values[0]}#part"],
                    [f" {values[0]} "],
                    [values[0].replace("http:", "HTTP:")],
                ]
            )
        return [("Location", value) for value in values]
