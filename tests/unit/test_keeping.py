"""How long logs and artifacts of operations are kept."""

import tempfile
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from datetime import timedelta
from pathlib import Path

import pytest

from appliance.domain.operation import OperationStatus
from appliance.operations.keeping import BATCH, PAUSE_SECONDS, Keeping, clear_batch
from appliance.wiring import Appliance
from tests.support.operating import make_appliance
from tests.support.web_world import NOON, run_operation

LONG_AFTER = NOON + timedelta(days=91)
NEWEST = 3


@pytest.fixture
def appliance() -> Iterator[Appliance]:
    in_memory = Path("/dev/shm")  # the store waits for the disk at each write
    with tempfile.TemporaryDirectory(dir=in_memory if in_memory.is_dir() else None) as directory:
        yield with_newest(make_appliance(Path(directory)), NEWEST)


def with_newest(appliance: Appliance, count: int) -> Appliance:
    return replace(appliance, settings=appliance.settings.model_copy(update={"operations_kept_newest": count}))


@dataclass(kw_only=True)
class Clock:
    seconds: float = field(default=0.0)

    def __call__(self) -> float:
        return self.seconds


def artifacts(appliance: Appliance, operation_id: int) -> Path:
    return appliance.settings.home / "operations" / str(operation_id)


def carry_out(
    appliance: Appliance, count: int, instance: str = "sales", *, status: OperationStatus = OperationStatus.SUCCEEDED
) -> list[int]:
    ids = []
    for _ in range(count):
        operation = run_operation(appliance, instance=instance)
        artifacts(appliance, operation.id).mkdir(parents=True)
        (artifacts(appliance, operation.id) / "stdout").write_text("ok")
        appliance.store.operations.finish(operation.id, status, now=NOON)
        ids.append(operation.id)
    return ids


def kept(appliance: Appliance, ids: list[int]) -> list[int]:
    with_log = [one for one in ids if any(line.text == "looking at the disk" for line in appliance.store.logs.lines(one))]
    assert with_log == [one for one in ids if artifacts(appliance, one).exists()]
    return with_log


def test_what_is_old_and_not_among_the_newest_of_its_instance_is_cleared(appliance: Appliance) -> None:
    sales = carry_out(appliance, NEWEST + 2)
    support = carry_out(appliance, 3, "support", status=OperationStatus.FAILED)
    assert clear_batch(appliance, LONG_AFTER) == 2
    assert (kept(appliance, sales), kept(appliance, support)) == (sales[2:], support)


def test_what_is_recent_is_kept_however_many_there_are(appliance: Appliance) -> None:
    ids = carry_out(appliance, NEWEST + 2)
    assert clear_batch(appliance, NOON + timedelta(days=89)) == 0
    assert kept(appliance, ids) == ids


def test_an_unfinished_operation_keeps_everything(appliance: Appliance) -> None:
    appliance = with_newest(appliance, 0)
    ids = carry_out(appliance, 1, status=OperationStatus.NEEDS_ATTENTION)
    assert clear_batch(appliance, LONG_AFTER) == 0
    assert kept(appliance, ids) == ids


def test_a_cleared_log_says_so_and_is_not_cleared_again(appliance: Appliance) -> None:
    (first, *_) = carry_out(appliance, NEWEST + 1)
    clear_batch(appliance, LONG_AFTER)
    assert clear_batch(appliance, LONG_AFTER + timedelta(days=200)) == 0
    (line,) = appliance.store.logs.lines(first)
    assert line.text.startswith("The log of this operation was cleared on 2026-06-01, with its artifacts.")
    assert [step.name for step in appliance.store.operations.get(first).steps] == ["preflight", "build", "switch"]


def test_clearing_goes_in_small_batches_while_idle_and_then_rests_for_an_hour(appliance: Appliance) -> None:
    ids, clock = carry_out(appliance, NEWEST + BATCH + 1), Clock()
    keeping = Keeping(monotonic=clock)
    keeping.clear(appliance, LONG_AFTER, idle=False)
    assert kept(appliance, ids) == ids
    keeping.clear(appliance, LONG_AFTER, idle=True)
    assert kept(appliance, ids) == ids[BATCH:]
    keeping.clear(appliance, LONG_AFTER, idle=True)
    assert kept(appliance, ids) == ids[BATCH + 1 :]
    more = carry_out(appliance, 1)
    keeping.clear(appliance, LONG_AFTER, idle=True)
    assert kept(appliance, ids + more) == ids[BATCH + 1 :] + more
    clock.seconds = PAUSE_SECONDS
    keeping.clear(appliance, LONG_AFTER, idle=True)
    assert kept(appliance, ids + more) == ids[BATCH + 2 :] + more
