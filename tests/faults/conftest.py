"""Plays the crash matrix, several worlds side by side, and says at the end how many harms were tried, and how many were survived."""

from collections.abc import Iterator, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from threading import Event

import pytest

from tests.faults.harm import HARMS
from tests.faults.tour import Case, Tour
from tests.lab.lab import Lab

HERE = "tests/faults/test_upgrade_matrix.py"
SIDE_BY_SIDE = 4


@pytest.fixture(scope="session")
def outcomes(request: pytest.FixtureRequest, lab: Lab, clean: None) -> Iterator[Mapping[Case, "Future[None]"]]:  # noqa: ARG001 - it needs a clean ground
    """How each case that was chosen to run ends: all are begun."""
    chosen = [getattr(item, "callspec").params["case"] for item in request.session.items if item.nodeid.startswith(HERE)]  # noqa: B009
    known = {case: Future[None]() for case in chosen}
    tours = dict.fromkeys((case.harm, case.moment) for case in chosen)
    pool, stopping = ThreadPoolExecutor(SIDE_BY_SIDE), Event()
    try:
        for harm, moment in tours:
            cases = tuple(case for case in chosen if (case.harm, case.moment) == (harm, moment))
            pool.submit(Tour(harm=HARMS[harm], cases=cases, outcomes=known, stopping=stopping).play, lab)
        yield known
    finally:
        stopping.set()
        pool.shutdown(cancel_futures=True)


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """One line; cases in which there was nothing to harm are not counted as tried."""
    count = {
        outcome: sum(report.nodeid.startswith(HERE) for report in terminalreporter.getreports(outcome))
        for outcome in ("passed", "failed", "error", "skipped")
    }
    tried = count["passed"] + count["failed"] + count["error"]
    if tried or count["skipped"]:
        without = f" ({count['skipped']} more had nothing to harm)" if count["skipped"] else ""
        terminalreporter.write_line(f"Crash matrix of an upgrade: {tried} tried, {count['passed']} survived{without}.")
