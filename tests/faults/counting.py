"""A pytest plugin: says at the end how many faults of backups were tried, how many were survived, and what was lost by them."""

import pytest

LOST = "recovery points lost"
"""The property in which a test of a fault tells how many."""


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """One line, if there was any."""
    told = [
        (report.passed, number)
        for outcome in ("passed", "failed")
        for report in terminalreporter.getreports(outcome)
        if report.when == "call"
        for name, number in report.user_properties
        if name == LOST
    ]
    if told:
        survived, lost = sum(passed for passed, _ in told), sum(int(str(number)) for _, number in told)
        terminalreporter.write_line(f"Faults of backups: {len(told)} tried, {survived} survived, {lost} lost.")
