"""The check of an origin regex: whether it is fast, and admits only what was meant.

A regex is the one part of a policy that a request can make slow, and that is easily misread. The
check never runs a regex that is not proven fast.
"""

from __future__ import annotations

import re
import warnings

from corscore._config.automaton import Automaton, TooLarge
from corscore._config.backtracking import why_slow
from corscore._config.look_alikes import LookAlikes, Unknown, find_look_alikes
from corscore._config.regex_repair import faster, narrower
from corscore._standard.public_suffix import is_public_suffix
from corscore._standard.regex_tree import parse
from corscore._standard.text import shown

TYPE_CHECKING = False
if TYPE_CHECKING:
    from corscore._config.options import Options
    from corscore._config.spelling import Problems

_OPTION = "allow_origin_regex"
_EXAMPLE = "https://pr-[0-9]+[.]example[.]com"


class RegexCheck:
    """The check of one regex, given the other options of its policy."""

    def __init__(self, problems: Problems, options: Options, regex: re.Pattern[str]) -> None:
        self._problems = problems
        self._regex = regex
        self._credentials = options.allow_credentials
        self._is_strict = options.allow_credentials or options.allow_private_network
        self._insecure_is_allowed = options.dangerously_allow_insecure_origins
        self._public_suffixes_are_allowed = options.dangerously_allow_public_suffixes
        self._slow_is_allowed = options.dangerously_allow_slow_regex

    def run(self) -> None:
        """Note what is wrong with the regex."""
        reason = None if self._slow_is_allowed else why_slow(self._regex)
        if reason is not None:
            self._refuse_slow(reason)
        elif self._is_strict:
            self._check_look_alikes()

    def _refuse_slow(self, reason: str) -> None:
        rewritten = faster(self._regex.pattern)
        if rewritten is None or not self._is_fast(rewritten):
            better = f"a pattern, such as {self._problems.write('allow_origins', ['https://*.example.com'])}"
        else:
            # Best is a regex that is also free of look-alikes, if one is found.
            sound = narrower(rewritten, self._is_sound)
            better = self._write(sound if sound and self._is_strict else rewritten)
        self._problems.add(
            "regex-unsafe",
            _OPTION,
            self._regex.pattern,
            f"{shown(self._regex.pattern)} {reason}; a hostile Origin can keep it busy for hours.",
            f"write {better}, or accept the risk with "
            f"{self._problems.write('dangerously_allow_slow_regex', True)}",
        )

    def _check_look_alikes(self) -> None:
        source = self._regex.pattern
        harm = "use your visitors' cookies" if self._credentials else "reach a private network"
        try:
            found = self._look_alikes(self._regex)
        except (Unknown, TooLarge, RecursionError) as error:
            self._problems.add(
                "regex-unverifiable",
                _OPTION,
                source,
                f"{shown(source)} {error if isinstance(error, Unknown) else 'is too large'}: it "
                f"cannot be found out which origins it lets {harm}.",
                f"write a plainer one, such as {self._problems.write(_OPTION, _EXAMPLE)}, or "
                f"list the origins, such as {self._problems.write('allow_origins', ['https://app.example.com'])}",
            )
            return
        if not found:
            return
        repaired = narrower(source, self._is_sound)
        if found.anyone is not None or found.other_domain is not None:
            if found.anyone is None:
                code = "look-alike-allowed"
            elif self._credentials:
                code = "regex-matches-anything-with-credentials"
            else:
                code = "private-network-with-wildcard"
            self._problems.add(
                code,
                _OPTION,
                source,
                f"{shown(source)} also matches {found.anyone or found.other_domain}, a name that "
                f"others can have, and lets its pages {harm}.",
                self._advice(found, repaired),
            )
        if found.insecure is not None and found.anyone is None:
            accept = self._problems.write("dangerously_allow_insecure_origins", True)
            self._problems.add(
                "insecure-origin-with-credentials"
                if self._credentials
                else "insecure-origin-allowed",
                _OPTION,
                source,
                f"{shown(source)} also matches {found.insecure}, which is plain http: anyone on "
                f"the way can put a script into its pages, and {harm}.",
                (f"write {self._write(repaired)}, or " if repaired else "name https, or ")
                + f"accept the risk with {accept}",
            )

    def _advice(self, found: LookAlikes, repaired: str | None) -> str:
        """A hint for a regex that does not spell a domain out."""
        if repaired is not None:
            return f"write {self._write(repaired)}"
        scheme = (found.anyone or found.other_domain or "").partition("://")[0]
        if scheme not in ("http", "https"):
            # The host of such an origin is the name of an extension or an application.
            names = [f"{scheme}://the-name-of-yours"]
            return f"list those that are yours: {self._problems.write('allow_origins', names)}"
        suffix = found.suffix
        if suffix is not None and not is_public_suffix(suffix, private=False):
            names = [f"https://your-name.{suffix}"]
            return (
                f"anyone can have a name below {suffix}: list those that are yours, such as "
                f"{self._problems.write('allow_origins', names)}, or accept the risk with "
                f"{self._problems.write('dangerously_allow_public_suffixes', True)}"
            )
        return f"spell your own domain out, such as {self._problems.write(_OPTION, _EXAMPLE)}"

    def _write(self, source: str) -> str:
        # A hint is a str, so the flags of a compiled regex go into it.
        flags = "".join(
            letter
            for letter, flag in (("a", re.ASCII), ("i", re.IGNORECASE), ("x", re.VERBOSE))
            if self._regex.flags & flag and not compiled(source).flags & flag
        )
        return self._problems.write(_OPTION, f"(?{flags}){source}" if flags else source)

    def _look_alikes(self, regex: re.Pattern[str]) -> LookAlikes:
        automaton = Automaton(parse(regex), regex.flags)
        return find_look_alikes(
            automaton,
            # A regex that may be slow is not run: its automaton decides.
            automaton.admits if self._slow_is_allowed else lambda text: bool(regex.fullmatch(text)),
            insecure_is_allowed=self._insecure_is_allowed,
            public_suffixes_are_allowed=self._public_suffixes_are_allowed,
        )

    def _is_sound(self, source: str) -> bool:
        """Whether the regex with another source is fast, and admits only what was meant."""
        try:
            if not self._is_fast(source):
                return False
            return not self._look_alikes(compiled(source, self._regex.flags))
        except (Unknown, TooLarge, RecursionError):
            return False

    def _is_fast(self, source: str) -> bool:
        try:
            regex = compiled(source, self._regex.flags)
            return self._slow_is_allowed or why_slow(regex) is None
        except (re.error, OverflowError, RecursionError):
            return False


def compiled(source: str, flags: int = 0) -> re.Pattern[str]:
    """Compile a regex without warnings; raises what ``re.compile`` raises."""
    with warnings.catch_warnings():
        # They warn of syntax that a later Python may read differently: no reason to stop a server.
        warnings.simplefilter("ignore")
        return re.compile(source, flags)
