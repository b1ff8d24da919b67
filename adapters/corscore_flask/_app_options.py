"""Options of a whole app beside its policies, as arguments or in ``app.config``."""

from __future__ import annotations

from typing import TYPE_CHECKING

from corscore import ConfigError, Policy, Problem
from corscore.integration import Governor
from corscore_flask._given import GivenOptions, literal
from corscore_flask._options import OF_THE_APP, listed

if TYPE_CHECKING:
    from collections.abc import Mapping

_ANY = Policy(allow_origins=["*"])
_TRUE = ("1", "true", "yes", "on")


def options_of_the_app(
    given: Mapping[str, object], config: Mapping[str, object]
) -> tuple[dict[str, object], tuple[Problem, ...]]:
    """Return the options of the whole app that are given, and their problems.

    Args:
        given: The arguments of ``CORS``, which beat ``config``.
        config: ``app.config``. It is read beside a ready policy too, since these are no options of
            a policy.
    """
    problems = GivenOptions(given, config)
    found = {name: problems.written[name] for name in OF_THE_APP if name in problems.written}
    blocks = found.get("block_cross_site", False)
    if not isinstance(blocks, bool):
        problems.add(
            "not-a-bool",
            "block_cross_site",
            blocks,
            f"{literal(blocks)} is a {type(blocks).__name__}, not True or False.",
            f"write {problems.write('block_cross_site', value=str(blocks).lower() in _TRUE)}",
        )
    if "own_origins" in found:
        found["own_origins"] = listed(found["own_origins"])
        try:
            Governor(_ANY, is_async=False, own_origins=found["own_origins"])
        except ConfigError as error:
            problems.found += [
                Problem(
                    problem.code,
                    problems.name("own_origins"),
                    problem.value,
                    problem.message,
                    problem.hint,
                )
                for problem in error.problems
            ]
    return found, tuple(problems.found)
