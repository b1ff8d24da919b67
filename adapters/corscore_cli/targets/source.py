"""A loaded TARGET: its policies, and how its user wrote them."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from corscore import ConfigError, PolicyMap, PolicyRef
from corscore_cli.shell.location import Location, nowhere
from corscore_cli.shell.output import Mistake, count_text
from corscore_cli.targets.regex import path_keys

if TYPE_CHECKING:
    import re
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from corscore import Policy, PolicyResolver, Problem
    from corscore.diagnostics import Finding
    from corscore.integration import PathPolicy, Policies
    from corscore_cli.shell.location import Locator

    Routes = Sequence[tuple[str, Policies | None]]
    Current = Policy | tuple[Policy, ...] | PolicyMap | PolicyResolver | None
    PoliciesAt = Callable[[str, str, str | None], tuple[str, Policies | None] | None]

OF_ROUTE = "a route's own policy beats those of the application"
"""A reason that ``Source.policies_at`` returns."""


@dataclass(frozen=True, slots=True)
class Source:
    """A policy or a map of policies, with the file, variables or layer that it was read from.

    Attributes:
        policies: The policies; None where they cannot be built.
        title: Where they were read, for people: ``"cors.toml"``, ``"main:app, flask-cors"``.
        names: The user's name of an option, by its name in ``Policy``, where they differ.
        defaults: Options whose values are a library's defaults.
        problems: Why the policies cannot be built.
        locate: Finds the location of an option.
        library: The other library whose middleware this is, or None.
        options: The values as written, under the names of ``Policy``, where they are known.
        path: The paths that the policies govern: the mount path of the application, with the
            resource of flask-cors; empty for every path.
        mount: The mount path alone, where there is a resource.
        resource: The resource of flask-cors, a path or a regex over paths, or None.
        above: How many layers of CORS a request passes before this one.
        routes: The names of routes, each with its own policies; None where they cannot be found.
        policies_at: Takes a method, a path, and a host or None; returns a reason and the policies
            that govern such a request instead of ``policies``, or None.
    """

    policies: PathPolicy | PolicyMap
    title: str
    names: Mapping[str, str] = field(default_factory=dict)
    defaults: frozenset[str] = frozenset()
    problems: tuple[Problem, ...] = ()
    locate: Locator = nowhere
    library: str | None = None
    options: Mapping[str, Any] = field(default_factory=dict)
    path: str = ""
    mount: str = ""
    resource: str | re.Pattern[str] | None = None
    above: int = 0
    routes: Routes | None = ()
    policies_at: PoliciesAt | None = None

    def entries(self) -> Iterator[tuple[str, PathPolicy]]:
        """Yield keys of a ``PolicyMap``, each with its policy; the key "" is for every path.

        Raises:
            Mistake: The resource is a regex without keys.
        """
        mount = (self.path if self.resource is None else self.mount).rstrip("/")
        policies: PathPolicy
        if isinstance(self.policies, PolicyMap):
            for key, policy in self.policies.items():
                yield f"{mount}{key}", policy
            policies = self.policies.default
        else:
            policies = self.policies
        if self.resource is not None:
            keys, _ = path_keys(self.resource)
            if not keys:
                text = getattr(self.resource, "pattern", self.resource)
                raise Mistake(f"paths cannot be looked up by the regex {text!a}")
            for key, has_policy in keys:
                yield f"{mount}{key}", policies if has_policy else None
        elif mount:
            yield mount, policies
            yield f"{mount}/*", policies
        else:
            yield "", policies


@dataclass(frozen=True, slots=True)
class Target:
    """A loaded TARGET.

    Attributes:
        name: As the user wrote it.
        sources: Its policies, from the outermost layer to the innermost.
        findings: What was found while it was loaded, each with its location.
        file: The file of the module that the name is in, or None.
    """

    name: str
    sources: tuple[Source, ...]
    findings: tuple[tuple[Finding, Location], ...] = ()
    file: str | None = None

    @property
    def routes(self) -> dict[str, Current]:
        """The policies of routes, by names such as ``"the view items at /api, number 2"``."""
        found: dict[str, Current] = {}
        counts: Counter[str] = Counter()
        for source in self.sources:
            for name, policies in source.routes or ():
                place = f"{name} at {source.path}" if source.path else name
                counts[place] += 1
                number = counts[place]
                key = place if number == 1 else f"{place}, number {number}"
                found[key] = current(policies)
        return found

    @property
    def has_unknown_routes(self) -> bool:
        """Whether routes may have policies that cannot be found."""
        return any(source.routes is None for source in self.sources)

    def policies_at(self, method: str, path: str, host: str | None) -> tuple[str, Current] | None:
        """Return ``Source.policies_at`` of the innermost application that serves a path."""
        below = [
            source
            for source in self.sources
            if not source.above and f"{path}/".startswith(f"{source.mount or source.path}/")
        ]
        innermost = max(below, key=lambda source: len(source.mount or source.path), default=None)
        if innermost is None or innermost.policies_at is None:
            return None
        found = innermost.policies_at(method, path, host)
        return None if found is None else (found[0], current(found[1]))

    def one_policy(self) -> tuple[Source, PathPolicy | PolicyMap]:
        """Return the outermost source, and one policy or map that stands for all layers.

        Of layers inside of each other the outermost one counts. Layers beside each other, of
        mounted applications or resources of flask-cors, become a map by path.

        Raises:
            Mistake: There is no layer, one cannot be built, or a path cannot be a key.
        """
        sources = [source for source in self.sources if not source.above]
        if not sources:
            raise Mistake(f"{self.name} has no layer of CORS; run: corscore check {self.name}")
        for source in sources:
            if source.policies is None:
                count = count_text(len(source.problems), "problem")
                raise Mistake(
                    f"{self.name} has {count}, and so no policy: run corscore check {self.name}"
                )
        first = sources[0]
        if first.policies is not None and not any(source.path for source in sources):
            return first, first.policies
        # Reversed: the first layer with a key wins, and a dict keeps the last.
        entries = [entry for source in reversed(sources) for entry in source.entries()]
        try:
            by_path = PolicyMap({key: policy for key, policy in entries if key})
        except ConfigError as error:
            raise Mistake(f"{self.name} cannot be looked up by path: {error.problems[0]}") from None
        default = next((policy for key, policy in reversed(entries) if not key), None)
        return first, PolicyMap(dict(by_path.items()), default=default)


def current(policies: Policies | None) -> Current:
    """Return the policies that a reference holds now, or the policies as they are."""
    return policies.policy if isinstance(policies, PolicyRef) else policies


def unknown_routes(name: str) -> str:
    """Return the note that policies of routes were left out."""
    return (
        f"Note: the URLs of {name} cannot be imported, so policies of its views are left out; "
        "manage.py check says why."
    )
