"""A pytest plugin: lanes of tests run side by side, as far as there are processors; the tests of one lane in their order in one process."""

from pathlib import PurePath
from typing import Any

import pytest
from xdist.scheduler import LoadScopeScheduling

SHARED = {"acceptance": "house", "browser": "house", "products": "house", "hosts": "hosts", "faults": "hosts"}
"""Folders of `tests/` whose tests work on the one house, or on golden layers and their worlds."""


def lane(nodeid: str) -> str:
    """A unit test needs nothing but its file; all others share the machine that their folder's fixtures make."""
    file = PurePath(nodeid.partition("::")[0])
    folder = file.parts[1]
    if folder == "unit":
        return str(file)
    return SHARED.get(folder, folder)


class Lanes(LoadScopeScheduling):  # type: ignore[misc]  # xdist carries no types
    """Gives whole lanes to processes, the longest first."""

    def _split_scope(self, nodeid: str) -> str:
        return lane(nodeid)


def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> Lanes:
    """Take the place of xdist's own ways to share tests out."""
    return Lanes(config, log)
