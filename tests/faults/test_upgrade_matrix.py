"""The crash matrix: each harm in the middle and at the end of each step of an upgrade. The CRM ends old and well, or new and well."""

from collections.abc import Mapping
from concurrent.futures import Future

import pytest

from appliance.operations.workflows import WORKFLOWS
from tests.faults.harm import HARMS
from tests.faults.tour import LONGEST_SECONDS, Case, Moment
from tests.hosts.stage import told

STEPS = [step.name for step in WORKFLOWS["upgrade"].steps]
CASES = [
    Case(step=step, moment=moment, harm=harm)
    for harm in HARMS
    for moment in Moment
    for step in STEPS
    if not (moment is Moment.END and step == STEPS[-1])
]
SAMPLE = [
    Case(step="deployment", moment=Moment.MIDDLE, harm="ansible-killed"),
    Case(step="migrate", moment=Moment.MIDDLE, harm="worker-killed"),
    Case(step="migrate", moment=Moment.END, harm="disk-full"),
    Case(step="verify", moment=Moment.MIDDLE, harm="database-stopped"),
    Case(step="switch", moment=Moment.MIDDLE, harm="power-cut"),
    Case(step="maintenance", moment=Moment.END, harm="network-cut"),
]
"""One of each harm, where it hurts."""


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """All of it when this part alone is asked for, else the sample."""
    alone = all("faults" in argument for argument in metafunc.config.args)
    metafunc.parametrize("case", CASES if alone else SAMPLE, ids=str)


def test_the_crm_survives(case: Case, outcomes: "Mapping[Case, Future[None]]") -> None:
    failure = outcomes[case].exception(timeout=len(CASES) * LONGEST_SECONDS)
    if isinstance(failure, pytest.skip.Exception):
        raise failure
    assert failure is None, told(failure)
