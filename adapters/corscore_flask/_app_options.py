"""Options of a whole app beside its policies, as arguments or in ``app.config``."""

from __future__ import annotations

from typing import TYPE_CHECKING

from corscore import ConfigError
from corscore.integration import read_own_origins, read_switch
from corscore_flask._given import GivenOptions
from corscore_flask._options import OF_THE_APP, listed

if TYPE_CHECKING:
    from collections.abc import Mapping

    from corscore import Problem


def options_of_the_app(
    given: Mapping[str, object], config: Mapping[str, object]
) -> tuple[dict[str, object], tuple[Problem, ...]]:
    """Return the options of the whole app that are given, and their problems.

    Args:
        given: The arguments of ``CORS``, which beat ``config``.
        config: ``app.config``, which is read beside a ready policy too.
    """
    user_options = GivenOptions(given, config)
    found = {
        name: user_options.written[name] for name in OF_THE_APP if name in user_options.written
    }
    read_switch(
        found.get("block_cross_site", False),
        user_options.name("block_cross_site"),
        user_options.separator,
        problems=user_options.found,
    )
    if "own_origins" in found:
        found["own_origins"] = listed(found["own_origins"])
        try:
            read_own_origins(
                found["own_origins"], user_options.name("own_origins"), user_options.separator
            )
        except ConfigError as error:
            user_options.found += error.problems
    return found, tuple(user_options.found)
