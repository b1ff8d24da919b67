"""A plugin for ``make mutants``: the rows that mutmut selects, found quickly and by any name.

mutmut gives thousands of ids for each mutant, the fastest tests first. pytest searches its modules
for each of them, and splits ids of rows whose own name contains ``::``.
"""

from __future__ import annotations

import pytest

_PLACES = pytest.StashKey[dict[str, int]]()


@pytest.hookimpl(tryfirst=True)
def pytest_load_initial_conftests(early_config: pytest.Config, args: list[str]) -> None:
    """Collect the whole modules of the ids."""
    ids = [arg for arg in args if "::" in arg]
    early_config.stash[_PLACES] = {node_id: place for place, node_id in enumerate(ids)}
    paths = dict.fromkeys(node_id.partition("::")[0] for node_id in ids)
    args[:] = [*paths, *(arg for arg in args if "::" not in arg)]


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Keep the tests of the ids, in their order."""
    if places := config.stash[_PLACES]:
        items[:] = sorted(
            (item for item in items if item.nodeid in places),
            key=lambda item: places[item.nodeid],
        )
