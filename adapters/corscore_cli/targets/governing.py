"""Several layers of CORS beside each other, each for paths of its own, as one policy."""

from __future__ import annotations

from typing import TYPE_CHECKING

from corscore import ConfigError, Policy, PolicyMap
from corscore_cli.migrate.python import path_key
from corscore_cli.shell.output import Mistake

if TYPE_CHECKING:
    from collections.abc import Iterator

    from corscore_cli.targets.source import Loaded, Source


def one_policy(loaded: Loaded) -> tuple[Source, Policy | PolicyMap]:
    """The source that a command is about which needs a policy, and what the target does.

    Of layers inside of each other the outermost one counts. Several beside each other, on
    applications that are mounted or as resources of flask-cors, are a map of their paths.

    Raises:
        Mistake: There is none, one of them cannot be built, or a path cannot be looked up.
    """
    sources = [source for source in loaded.sources if not source.above]
    if not sources:
        raise Mistake(f"{loaded.name} has no layer of CORS; run: corscore check {loaded.name}")
    for source in sources:
        if source.policies is None:
            count = len(source.problems)
            what = "1 problem" if count == 1 else f"{count} problems"
            raise Mistake(
                f"{loaded.name} has {what}, and no policy without it: run corscore check "
                f"{loaded.name}"
            )
    first = sources[0]
    if first.policies is not None and not any(source.path for source in sources):
        return first, first.policies
    entries = [entry for source in reversed(sources) for entry in _entries(source)]
    try:
        # The first one wins.
        by_path = PolicyMap({key: policy for key, policy in entries if key})
    except ConfigError as error:
        raise Mistake(f"{loaded.name} cannot be looked up by path: {error.problems[0]}") from None
    default = next((policy for key, policy in reversed(entries) if not key), None)
    return first, PolicyMap(dict(by_path.items()), default=default)


def _entries(source: Source) -> Iterator[tuple[str, Policy | None]]:
    """Keys of a map, empty for every path, with the policy of each."""
    mount = source.path.removesuffix(source.resource).rstrip("/")
    policies = source.policies
    if isinstance(policies, PolicyMap):
        for key, policy in policies.items():
            yield f"{mount}{key}", policy
        policies = policies.default
    if source.resource:
        yield f"{mount}{path_key(source.resource)}", policies
    elif mount:
        yield mount, policies
        yield f"{mount}/*", policies
    else:
        yield "", policies
