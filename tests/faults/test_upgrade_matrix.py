"""The crash matrix: each harm in the middle and at the end of each step of an upgrade. The CRM ends old and well, or new and well."""

import time
from dataclasses import dataclass
from enum import StrEnum

import pytest

from appliance.domain.operation import Operation, OperationStatus, StepStatus
from appliance.operations.workflows import WORKFLOWS
from tests.faults.harm import HARMS, NothingToHarmError, mended
from tests.hosts.fixtures import Played
from tests.hosts.layers import NEW, OLD, Golden
from tests.hosts.stage import Stage, told
from tests.hosts.world import CRM, World, assert_no_connection_is_left
from tests.support.house import wait_for

DISK_BYTES = 6 * 1024**3
"""In memory, for what an upgrade and its rehearsal write."""
LONGEST_SECONDS = 900
STEPS = [step.name for step in WORKFLOWS["upgrade"].steps]


class Moment(StrEnum):
    """When it is done."""

    MIDDLE = "middle"
    """After half of the time that the step took when nothing went wrong."""
    END = "end"
    """As soon as the step has ended; the next one is about to begin."""


@dataclass(frozen=True, kw_only=True)
class Case:
    """One field of the matrix; played, it fails unless the CRM has survived."""

    step: str
    moment: Moment
    harm: str

    def __str__(self) -> str:
        """As it is chosen with -k."""
        return f"{self.step}-{self.moment}-{self.harm}"

    def __call__(self, stage: Stage) -> None:
        """Play it."""
        golden, harm = stage.crm(), HARMS[self.harm]
        world = stage.open(golden, disk_bytes=DISK_BYTES if self.harm == "disk-full" else None)
        world.serves_again(OLD)
        seconds = usual_seconds(world, self.step)
        operation = world.request("upgrade", CRM, to=NEW, rehearsal=self.step.startswith("rehearsal-"))
        await_moment(world, operation, self, seconds)
        try:
            harm.strike(world, operation)
        except NothingToHarmError as nothing:
            pytest.skip(f"{self}: {nothing}")
        assert_survived(world, golden, settled(world, operation, self.harm))


CASES = [
    Case(step=step, moment=moment, harm=harm)
    for step in STEPS
    for moment in Moment
    for harm in HARMS
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


def usual_seconds(world: World, step: str) -> float:
    """How long the step took in the upgrade that was made with the golden layer."""
    done = world.appliance.store.operations.list(kind="upgrade", status=[OperationStatus.SUCCEEDED], limit=1)[0]
    (known,) = (one for one in world.operation(done.id).steps if one.name == step)
    assert known.started_at
    assert known.finished_at
    return (known.finished_at - known.started_at).total_seconds()


def await_moment(world: World, operation: int, case: Case, seconds: float) -> None:
    """Wait until the step has begun, and for half of its time or for its end."""
    world.await_step(operation, case.step)
    if case.moment is Moment.MIDDLE:
        time.sleep(seconds / 2)
    else:
        wait_for(lambda: state_of(world.operation(operation), case.step) is not StepStatus.RUNNING, seconds=LONGEST_SECONDS)


def state_of(operation: Operation, step: str) -> StepStatus:
    """Where one of its steps stands."""
    return next(one.status for one in operation.steps if one.name == step)


def settled(world: World, operation: int, harm: str) -> Operation:
    """The end of the operation, after what was harmed was mended and, where it needed somebody, the operation taken up again."""
    ended = world.ended(operation, seconds=LONGEST_SECONDS)
    mended(world, HARMS[harm])
    if ended.status is OperationStatus.NEEDS_ATTENTION:
        assert f"appliance operation retry {operation}" in str(ended.next_action)
        world.command("operation", "retry", str(operation))
        ended = world.ended(operation, seconds=LONGEST_SECONDS)
    return ended


def assert_survived(world: World, golden: Golden, ended: Operation) -> None:
    """Old and well, or new and well, with every record, as the history tells; and nothing is left of what was begun."""
    context = f"{ended.status}: {ended.cause}; {ended.next_action}\n{world.log_of(ended.id)[-5000:]}"
    assert ended.status.is_final, context
    succeeded = ended.status is OperationStatus.SUCCEEDED
    world.serves_again(NEW if succeeded else OLD)
    assert world.records() == golden.known["records"], context
    kept = world.appliance.store.instances.get(CRM)
    assert kept.release == (NEW if succeeded else OLD), context
    assert not [step.name for step in ended.steps if step.status is StepStatus.RUNNING], context
    assert there(world, "ls /srv/crm") == {CRM}, context
    wanted = {one.id for one in (kept.deployment, kept.previous) if one is not None}
    assert there(world, f"ls /srv/crm/{CRM}/deployments") == wanted, context
    assert_no_connection_is_left(world)


def there(world: World, command: str) -> set[str]:
    """The words that a command prints on the host."""
    return set(world.hosts["web1"].run(command).stdout.split())


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """All of it when this part alone is asked for, else the sample."""
    alone = all("faults" in argument for argument in metafunc.config.args)
    metafunc.parametrize("scenario", CASES if alone else SAMPLE, ids=str)


def test_the_crm_survives(scenario: Case, played: Played) -> None:
    failure = played[scenario].exception()
    if isinstance(failure, pytest.skip.Exception):
        raise failure
    assert failure is None, told(failure)
