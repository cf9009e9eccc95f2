"""Through the steps of an upgrade with one harm, done at one moment of each for as long as the upgrade goes on; then the next begins."""

import time
from collections.abc import Iterable, Mapping
from concurrent.futures import Future
from dataclasses import dataclass, field
from enum import StrEnum
from threading import Event

import pytest

from appliance.domain.operation import Operation, OperationStatus, StepStatus
from tests.faults.harm import HARMS, Harm, NothingToHarmError, mended
from tests.hosts.layers import NEW, OLD, Golden
from tests.hosts.stage import Stage, a_stage
from tests.hosts.world import CRM, World, assert_no_connection_is_left
from tests.lab.lab import Lab
from tests.support.house import wait_for

DISK_BYTES = 5 * 1024**3
"""In memory, for what an upgrade and its rehearsal write."""
LONGEST_SECONDS = 900
REHEARSAL = "rehearsal-"


class Moment(StrEnum):
    """When it is done."""

    MIDDLE = "middle"
    """After half of the time that the step took when nothing went wrong."""
    END = "end"
    """As soon as the step has ended; the next one is about to begin."""


@dataclass(frozen=True, kw_only=True)
class Case:
    """One field of the matrix."""

    step: str
    moment: Moment
    harm: str

    def __str__(self) -> str:
        """As it is chosen with -k."""
        return f"{self.step}-{self.moment}-{self.harm}"


@dataclass(frozen=True, kw_only=True)
class Tour:
    """The cases of one harm and one moment, in the order of the steps; `outcomes` tells how each ended as soon as that is known.

    When it is told that it is `stopping`, it begins no further upgrade.
    """

    harm: Harm
    cases: tuple[Case, ...]
    outcomes: Mapping[Case, "Future[None]"] = field(compare=False)
    stopping: Event = field(compare=False)

    def play(self, lab: Lab) -> None:
        """Play all; a world is used until a case fails, or its CRM is upgraded."""
        remaining = self.cases
        try:
            while remaining and not self.stopping.is_set():
                with a_stage(lab) as stage:
                    remaining = self._in_one_world(stage, remaining)
        except Exception as failure:  # noqa: BLE001 - whatever it was, the tests that wait for these cases are told
            self._told(self.cases, failure)

    def _in_one_world(self, stage: Stage, remaining: tuple[Case, ...]) -> tuple[Case, ...]:
        golden = stage.crm()
        world = stage.open(golden, disk_bytes=DISK_BYTES if self.harm is HARMS["disk-full"] else None)
        while remaining and not self.stopping.is_set():
            struck = list[Case]()
            try:
                ended = self._in_one_upgrade(world, remaining, struck)
                assert_survived(world, golden, ended)
            except Exception as failure:  # noqa: BLE001 - the cases that were struck have not survived; the others are played in another world
                self._told(struck or remaining[:1], failure)
                return remaining[max(len(struck), 1) :]
            self._told(struck, None)
            remaining = remaining[len(struck) :]
            if ended.status is OperationStatus.SUCCEEDED:
                break
        return remaining

    def _in_one_upgrade(self, world: World, remaining: tuple[Case, ...], struck: list[Case]) -> Operation:
        world.serves_again(OLD)
        within_reach = remaining[:1] if self.harm.lasts else remaining
        rehearsal = any(case.step.startswith(REHEARSAL) for case in within_reach)
        operation = world.request("upgrade", CRM, to=NEW, rehearsal=rehearsal)
        for case in remaining:
            if not await_moment(world, operation, case):
                break
            struck.append(case)
            try:
                self.harm.strike(world, operation)
            except NothingToHarmError as nothing:
                self._told([case], pytest.skip.Exception(f"{case}: {nothing}"))
                continue
            if self.harm.lasts:
                break
        ended = settled(world, operation, self.harm)
        assert struck, f"the upgrade ended before its step {remaining[0].step}: {told(world, ended)}"
        return ended

    def _told(self, cases: Iterable[Case], failure: BaseException | None) -> None:
        for outcome in (self.outcomes[case] for case in cases if not self.outcomes[case].done()):
            if failure is None:
                outcome.set_result(None)
            else:
                outcome.set_exception(failure)


def await_moment(world: World, operation: int, case: Case) -> bool:
    """Wait until the step has begun, and for half of its time or for its end; False when the upgrade ends without it."""
    seconds = usual_seconds(world, case.step)
    wait_for(
        lambda: state_of(world, operation, case.step) is not StepStatus.PENDING or has_ended(world, operation), seconds=LONGEST_SECONDS
    )
    if state_of(world, operation, case.step) is StepStatus.PENDING:
        return False
    if case.moment is Moment.MIDDLE:
        time.sleep(seconds / 2)
    else:
        wait_for(lambda: state_of(world, operation, case.step) is not StepStatus.RUNNING, seconds=LONGEST_SECONDS)
    return True


def usual_seconds(world: World, step: str) -> float:
    """How long the step took in the upgrade that was made with the golden layer."""
    done = world.appliance.store.operations.list(kind="upgrade", status=[OperationStatus.SUCCEEDED], limit=1)[0]
    (known,) = (one for one in world.operation(done.id).steps if one.name == step)
    assert known.started_at
    assert known.finished_at
    return (known.finished_at - known.started_at).total_seconds()


def state_of(world: World, operation: int, step: str) -> StepStatus:
    """Where one of its steps stands."""
    return next(one.status for one in world.operation(operation).steps if one.name == step)


def has_ended(world: World, operation: int) -> bool:
    """Whether it goes on no more by itself."""
    status = world.operation(operation).status
    return status.is_final or status is OperationStatus.NEEDS_ATTENTION


def settled(world: World, operation: int, harm: Harm) -> Operation:
    """The end of the operation, after what was harmed was mended and, where it needed somebody, the operation taken up again."""
    ended = world.ended(operation, seconds=LONGEST_SECONDS)
    mended(world, harm)
    if ended.status is OperationStatus.NEEDS_ATTENTION:
        assert f"appliance operation retry {operation}" in str(ended.next_action)
        world.command("operation", "retry", str(operation))
        ended = world.ended(operation, seconds=LONGEST_SECONDS)
    return ended


def assert_survived(world: World, golden: Golden, ended: Operation) -> None:
    """Old and well, or new and well, with every record, as the history tells; and nothing is left of what was begun."""
    context = told(world, ended)
    assert ended.status.is_final, context
    succeeded = ended.status is OperationStatus.SUCCEEDED
    world.serves_again(NEW if succeeded else OLD)
    assert world.records() == golden.known["records"], context
    kept = world.appliance.store.instances.get(CRM)
    assert kept.release == (NEW if succeeded else OLD), context
    assert not [step.name for step in ended.steps if step.status is StepStatus.RUNNING], context
    assert there(world, "ls /srv/crm") == {CRM}, context
    assert there(world, f"ls /srv/crm/{CRM}/deployments") == {one.id for one in kept.kept}, context
    clusters = {kept.cluster(one.cluster) for one in kept.kept}
    assert there(world, "pg_lsclusters --no-header | awk '{print $2}'") == clusters, context
    assert_no_connection_is_left(world)


def told(world: World, ended: Operation) -> str:
    """How the operation ended, and the last that it said."""
    return f"{ended.status}: {ended.cause}; {ended.next_action}\n{world.log_of(ended.id)[-5000:]}"


def there(world: World, command: str) -> set[str]:
    """The words that a command prints on the host."""
    return set(world.hosts["web1"].run(command).stdout.split())
