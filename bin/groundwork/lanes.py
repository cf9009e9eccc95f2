"""A pytest plugin: lanes of tests run side by side, as far as there are processors; the tests of one lane in their order in one process."""

from pathlib import PurePath
from typing import Any

import pytest
from xdist.scheduler import LoadScopeScheduling

SHARED = {"acceptance": "house", "browser": "house", "products": "house", "hosts": "hosts", "faults": "hosts"}
"""Folders of `tests/` whose tests work on the one house, or on golden layers and their worlds."""
BY_FILE = ("integration", "unit")
"""Folders in which a file's tests share nothing with another's that two processes could not have each."""
LONGEST_FIRST = ("house", "recovery", "hosts", "production", "bare", "playbooks")
"""Lanes of many minutes, so that the files, which are short, fill up what is left at the end; the others come after them."""


def lane(nodeid: str) -> str:
    """The tests of a file that needs nothing else; or all that share the machine that their folder's fixtures make."""
    file = PurePath(nodeid.partition("::")[0])
    folder = file.parts[1]
    if folder in BY_FILE:
        return str(file)
    return SHARED.get(folder, folder)


def rank(nodeid: str) -> int:
    """How early a test's lane is given out; unit tests come last."""
    chosen = lane(nodeid)
    if chosen in LONGEST_FIRST:
        return LONGEST_FIRST.index(chosen)
    return len(LONGEST_FIRST) + nodeid.startswith("tests/unit/")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Put the lanes in the order in which they are given out; each keeps the order of its tests."""
    items.sort(key=lambda item: rank(item.nodeid))


class Lanes(LoadScopeScheduling):  # type: ignore[misc]  # xdist carries no types
    """Gives whole lanes to processes, in the order of their tests (`--no-loadscope-reorder`)."""

    def _split_scope(self, nodeid: str) -> str:
        return lane(nodeid)


def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> Lanes:
    """Take the place of xdist's own ways to share tests out."""
    return Lanes(config, log)
