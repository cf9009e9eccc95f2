"""A pytest plugin: the fixtures `host`, `bare_host` and `lab`. Their tests get the mark `lab`, and are skipped where none can be."""

from collections.abc import Callable, Iterator

import pytest

from tests.lab import ability
from tests.lab.clone import clone_into
from tests.lab.host import LabHost
from tests.lab.lab import Lab, Lending

REASON = "no lab here: "


@pytest.fixture(scope="session")
def lab() -> Iterator[Lab]:
    """This run's lab. For hosts that outlast a test: `with lab.lending() as host:` in a fixture of a wider scope."""
    opened = Lab.open()
    yield opened
    opened.close()


@pytest.fixture
def host(lab: Lab) -> Iterator[Lending]:
    """`host(release="bookworm")` gives a LabHost that has booted, `host.many(5)` several; they end with the test."""
    with lab.lending() as lending:
        yield lending


@pytest.fixture
def bare_host(lab: Lab) -> Iterator[Callable[[str], LabHost]]:
    """`bare_host("trixie")` gives a host with git and nothing else that is of use, and this clone's HEAD in /root/crm-appliance."""
    with lab.lending() as lending:

        def make(release: str) -> LabHost:
            made = lending(release, kind="bare")
            clone_into(made)
            return made

        yield make


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark the tests that use the lab, and skip them where there can be none."""
    of_lab = [item for item in items if "lab" in getattr(item, "fixturenames", ())]
    reason = ability.why_not() if of_lab else None
    for item in of_lab:
        item.add_marker("lab")
        if reason:
            item.add_marker(pytest.mark.skip(reason=f"{REASON}{reason}"))


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Say once why tests of hosts did not run."""
    if skipped := sum(REASON in str(report.longrepr) for report in terminalreporter.getreports("skipped")):
        terminalreporter.write_line(f"There can be no lab of hosts on this machine: {ability.why_not()}. {skipped} tests were skipped.")
