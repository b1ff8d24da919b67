"""Origins that a regex admits though its author cannot have meant them.

They are found in samples: well-formed origins that are made from the automaton of the regex. Each
branch, and each step from one character to the next, is in at least one sample. A sample knows
which of its characters the regex spells out. A registrable domain that is not spelled out can be
replaced by the domain of another owner.
"""

from __future__ import annotations

from collections import defaultdict, deque

from corscore._config.automaton import IN_ORIGINS, Automaton, first_of, mask_of
from corscore._config.pattern import is_address, is_loopback
from corscore._standard.host import LABEL_CHARACTERS
from corscore._standard.origin import parse_origin
from corscore._standard.public_suffix import is_public_suffix, registrable_domain, suffixes_below

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    _Steps = Mapping[int, list["_Step"]]

_MAX_STEPS = 300_000
_MAX_SAMPLES = 20_000

# The states of a reader of origins.
_START, _SCHEME, _COLON, _SLASH, _HOST, _LABEL, _DOT, _PORT, _DIGITS, _BRACKET, _ADDRESS = range(11)
# Addresses have states of their own beside the general ones, so that samples are valid addresses.
_OCTETS = range(11, 18)
_V6_START, _V6_GROUP, _V6_COLON, _V6_GAP, _V6_LAST, _V6_LAST_COLON = range(18, 24)
_LOWER = mask_of("abcdefghijklmnopqrstuvwxyz")
_NUMERALS = mask_of("0123456789")
_HEX = mask_of("0123456789abcdef")
_LABELS = mask_of("".join(LABEL_CHARACTERS))
_SEPARATOR = mask_of(":")
_CLOSING = mask_of("]")
# For each state: sets of characters, and the state that each leads to.
_TRANSITIONS = {
    _START: ((_LOWER, _SCHEME),),
    _SCHEME: ((_LOWER | _NUMERALS | mask_of("+.-"), _SCHEME), (_SEPARATOR, _COLON)),
    _COLON: ((mask_of("/"), _SLASH),),
    _SLASH: ((mask_of("/"), _HOST),),
    _HOST: ((_LABELS, _LABEL), (mask_of("["), _BRACKET), (_NUMERALS, _OCTETS[0])),
    _LABEL: ((_LABELS, _LABEL), (mask_of("."), _DOT), (_SEPARATOR, _PORT)),
    _DOT: ((_LABELS, _LABEL), (_SEPARATOR, _PORT)),
    _PORT: ((mask_of("123456789"), _DIGITS),),
    _DIGITS: ((_NUMERALS, _DIGITS),),
    _BRACKET: (
        (_HEX | _SEPARATOR, _BRACKET),
        (_CLOSING, _ADDRESS),
        (_SEPARATOR, _V6_START),
        (_HEX, _V6_GROUP),
    ),
    _V6_START: ((_SEPARATOR, _V6_GAP),),
    _V6_GROUP: ((_HEX, _V6_GROUP), (_SEPARATOR, _V6_COLON)),
    _V6_COLON: ((_HEX, _V6_GROUP), (_SEPARATOR, _V6_GAP)),
    _V6_GAP: ((_HEX, _V6_LAST), (_CLOSING, _ADDRESS)),
    _V6_LAST: ((_HEX, _V6_LAST), (_SEPARATOR, _V6_LAST_COLON), (_CLOSING, _ADDRESS)),
    _V6_LAST_COLON: ((_HEX, _V6_LAST),),
    _ADDRESS: ((_SEPARATOR, _PORT),),
}
for _octet, _dot, _next in zip(_OCTETS[::2], _OCTETS[1::2], _OCTETS[2::2], strict=False):
    _TRANSITIONS[_octet] = ((_NUMERALS, _octet), (mask_of("."), _dot))
    _TRANSITIONS[_dot] = ((_NUMERALS, _next),)
_TRANSITIONS[_OCTETS[-1]] = ((_NUMERALS, _OCTETS[-1]), (_SEPARATOR, _PORT))
_ENDS = frozenset((_LABEL, _DOT, _DIGITS, _ADDRESS, _OCTETS[-1]))

# Unused names under top-level domains where anyone can have one.
_UNUSED = tuple(
    f"{scheme}://{host}"
    for scheme in ("https", "http")
    for host in ("corscore-stranger-7.com", "z9.com", "z9.io", "z9.app")
)


class Unknown(Exception):
    """Raised where samples cannot show what the regex admits; the argument says why."""


class LookAlikes:
    """Origins that a regex admits and should not: one of each kind, or None.

    Attributes:
        anyone: An origin that has nothing to do with the regex.
        other_domain: An origin whose registrable domain the regex does not spell out.
        suffix: The public suffix above that domain, if the regex spells out the suffix.
        insecure: An origin over plain http that is not on the machine itself.
    """

    __slots__ = ("anyone", "insecure", "other_domain", "suffix")

    def __init__(self) -> None:
        self.anyone: str | None = None
        self.other_domain: str | None = None
        self.suffix: str | None = None
        self.insecure: str | None = None

    def __bool__(self) -> bool:
        return self.other_domain is not None or self.insecure is not None


class _Sample:
    """An origin, and for each of its characters whether the regex spells it out."""

    __slots__ = ("is_literal", "text")

    def __init__(self, text: str, is_literal: bytes) -> None:
        self.text = text
        self.is_literal = is_literal


def find_look_alikes(
    automaton: Automaton,
    admits: Callable[[str], bool],
    *,
    insecure_is_allowed: bool,
    public_suffixes_are_allowed: bool,
) -> LookAlikes:
    """Find origins that a regex admits and should not.

    Args:
        automaton: The automaton of the regex.
        admits: Whether the regex matches a whole text.
        insecure_is_allowed: Whether plain http is meant.
        public_suffixes_are_allowed: Whether names below a hosting domain are meant.

    Raises:
        Unknown: The regex has parts that samples do not show, or too many branches.
    """
    if not automaton.is_exact:
        raise Unknown("looks around, refers to a group or repeats a part very often")
    found, is_known = LookAlikes(), False
    finder = _Finder(automaton, public_suffixes_are_allowed)
    for sample in _samples(automaton):
        if not admits(sample.text):
            if automaton.has_cuts:
                raise Unknown("has an atomic group or a possessive repeat")
            continue
        # A message is clearest with a domain under a known top-level domain.
        if not is_known:
            other = finder.find_other_domain(sample)
            if other is not None and (found.other_domain is None or other[2]):
                found.other_domain, found.suffix, is_known = other
        if found.insecure is None and not insecure_is_allowed:
            found.insecure = finder.find_insecure(sample)
        if is_known and (found.insecure or insecure_is_allowed):
            break
    if found.other_domain is not None:
        found.anyone = next(filter(automaton.admits, _UNUSED), None)
    return found


class _Finder:
    def __init__(self, automaton: Automaton, public_suffixes_are_allowed: bool) -> None:
        self._automaton = automaton
        self._public_suffixes_are_allowed = public_suffixes_are_allowed

    def find_other_domain(self, sample: _Sample) -> tuple[str, str | None, bool] | None:
        """Find an origin like the sample whose domain others can have.

        Returns:
            The origin, the public suffix that the regex spells out, and whether the domain is under
            a known top-level domain; None if there is no such origin.
        """
        text = sample.text
        origin = parse_origin(text)
        if origin is None or is_loopback(origin.host):
            return None
        start = text.index("://") + 3
        host = origin.host.removesuffix(".")
        end = start + len(host)
        if all(sample.is_literal[start:end]):
            return None
        if is_address(host):
            return (text, None, True) if _is_global(host) else None
        domain, suffix = self._domain(host)
        if not all(sample.is_literal[end - len(domain) : end]):
            is_below = suffix and all(sample.is_literal[end - len(suffix) - 1 : end])
            is_known = "." in host and is_public_suffix(host.rpartition(".")[2])
            return self._over_https(text), suffix if is_below else None, is_known
        for suffix in () if self._public_suffixes_are_allowed else suffixes_below(domain):
            for below in (text[start : end - len(domain)], "x."):
                other = f"{text[:start]}{below}{suffix}{text[end:]}"
                if below and self._automaton.admits(other) and parse_origin(other):
                    return self._over_https(other), suffix, True
        return None

    def _over_https(self, text: str) -> str:
        """The origin over https if the regex admits that, or else as it is."""
        secure = f"https{text[text.index(':') :]}"
        return secure if parse_origin(secure) and self._automaton.admits(secure) else text

    def _domain(self, host: str) -> tuple[str, str | None]:
        """The part of a host that a regex has to spell out, and the public suffix above it."""
        if self._public_suffixes_are_allowed:
            # Any name may be meant below a hosting domain, and below `internal` and the like.
            last = host.rpartition(".")[2]
            meant = registrable_domain(host, private=False) if is_public_suffix(last) else last
            return meant or host, None
        domain = registrable_domain(host)
        return domain or host, domain and domain.partition(".")[2]

    def find_insecure(self, sample: _Sample) -> str | None:
        """Return the sample over plain http if the regex admits that, or None."""
        scheme, _, rest = sample.text.partition("://")
        origin = parse_origin(sample.text)
        if origin is None or is_loopback(origin.host):
            return None
        if scheme == "http":
            return sample.text
        text = f"http://{rest}"
        is_open = not all(sample.is_literal[: len(scheme)])
        return text if is_open and parse_origin(text) and self._automaton.admits(text) else None


def _is_global(host: str) -> bool:
    from ipaddress import ip_address

    return ip_address(host.strip("[]")).is_global


class _Step:
    """A step through the automaton and the states of an origin at once, and its character."""

    __slots__ = ("char", "is_literal", "source", "target")

    def __init__(self, source: int, target: int, char: str, is_literal: bool) -> None:
        self.source = source
        self.target = target
        self.char = char
        self.is_literal = is_literal


def _samples(automaton: Automaton) -> Iterator[_Sample]:
    """The shortest origins that take each step through the automaton."""
    steps, ends = _steps(automaton)
    leaving, entering = defaultdict(list), defaultdict(list)
    for step in steps:
        leaving[step.source].append(step)
        entering[step.target].append(step)
    before = _shortest([0], leaving, lambda step: step.target)
    behind = _shortest(ends, entering, lambda step: step.source)
    seen: set[tuple[str, bytes]] = set()
    for way in _ways(steps, ends, leaving, entering, before, behind):
        sample = _Sample("".join(step.char for step in way), bytes(step.is_literal for step in way))
        key = (sample.text, sample.is_literal)
        if key not in seen:
            seen.add(key)
            yield sample
        if len(seen) > _MAX_SAMPLES:
            raise Unknown("has too many branches")


def _ways(
    steps: list[_Step],
    ends: list[int],
    leaving: _Steps,
    entering: _Steps,
    before: dict[int, _Step | None],
    behind: dict[int, _Step | None],
) -> Iterator[list[_Step]]:
    for end in ends:
        yield _way_to(end, before)
    for step in steps:
        # Without a choice the sample of a neighbouring step takes this one, too.
        is_choice = len(leaving[step.source]) > 1 or len(entering[step.target]) > 1
        if step.target in behind and (is_choice or not step.is_literal):
            yield [*_way_to(step.source, before), step, *_way_from(step.target, behind)]


def _way_to(place: int, before: dict[int, _Step | None]) -> list[_Step]:
    way = []
    while (step := before[place]) is not None:
        way.append(step)
        place = step.source
    return way[::-1]


def _way_from(place: int, behind: dict[int, _Step | None]) -> list[_Step]:
    way = []
    while (step := behind[place]) is not None:
        way.append(step)
        place = step.target
    return way


def _shortest(
    starts: list[int], steps: _Steps, other_end: Callable[[_Step], int]
) -> dict[int, _Step | None]:
    """For each place within reach of ``starts``, the last step of a shortest way."""
    found: dict[int, _Step | None] = dict.fromkeys(starts)
    pending = deque(starts)
    while pending:
        for step in steps[pending.popleft()]:
            place = other_end(step)
            if place not in found:
                found[place] = step
                pending.append(place)
    return found


def _steps(automaton: Automaton) -> tuple[list[_Step], list[int]]:
    """All steps from place 0 on, and the places where an origin may end."""
    places: dict[tuple[int, int], int] = {(-1, _START): 0}
    pending = deque(places)
    steps: list[_Step] = []
    repeated = automaton.repeated
    while pending:
        here = pending.popleft()
        position, state = here
        followers = automaton.follow[position] if position >= 0 else automaton.first
        if len(steps) + len(followers) > _MAX_STEPS:
            raise Unknown("has too many branches")
        for after in dict.fromkeys(followers):
            mask = automaton.masks[after] & IN_ORIGINS
            is_single = mask.bit_count() == 1
            for chars, next_state in _TRANSITIONS[state]:
                if not mask & chars:
                    continue
                there = (after, next_state)
                if there not in places:
                    places[there] = len(places)
                    pending.append(there)
                char = first_of(mask & chars)
                # A bare dot counts as spelled out, since a dot was meant.
                is_spelled = (is_single or char == ".") and (position, after) not in repeated
                steps.append(_Step(places[here], places[there], char, is_spelled))
    ends = [
        number
        for (position, state), number in places.items()
        if state in _ENDS and position in automaton.last
    ]
    return steps, ends
