"""Says at the end how many harms were tried, and how many were survived."""

import pytest

HERE = "tests/faults/"


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
