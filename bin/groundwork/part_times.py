"""A pytest plugin: how long the tests of each folder took, for the summary of `bin/test`."""

import json
import os
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

_seconds: Counter[str] = Counter()


def pytest_runtest_logreport(report: Any) -> None:
    """Add a phase of a test (set-up, call, tear-down) to its folder's time."""
    _seconds[Path(report.nodeid.partition("::")[0]).parts[1]] += report.duration


def pytest_sessionfinish(session: pytest.Session) -> None:
    """Write the times, in seconds, to the file that `bin/test` named; the process of a lane leaves that to the one that hears of all."""
    if not hasattr(session.config, "workerinput"):
        Path(os.environ["GROUNDWORK_PART_TIMES"]).write_text(json.dumps(_seconds))
