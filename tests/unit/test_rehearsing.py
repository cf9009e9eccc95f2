"""What a rehearsal decides by itself: which recovery point it is made from, and what it still has to take back."""

from datetime import timedelta
from pathlib import Path

import pytest

from appliance.domain.instance import RecoveryPoint
from appliance.errors import NotFound
from appliance.operations.run import Run
from appliance.operations.steps.copying import newest_of_what_serves
from appliance.operations.steps.hosting import remove_instance
from appliance.operations.steps.rehearsing import clear
from appliance.wiring import Appliance
from tests.support.operating import make_appliance, now, record, workflows_of
from tests.support.web_world import NOON, add_sales, deployment


@pytest.fixture
def appliance(tmp_path: Path) -> Appliance:
    made = make_appliance(tmp_path)
    add_sales(made)
    return made


def add_point(appliance: Appliance, name: str, release: str) -> None:
    record = {"product": "creme", "release": release, "bytes_processed": 1}
    appliance.store.points.add(RecoveryPoint(id=name, instance="sales", at=NOON + timedelta(hours=1), repository="local", record=record))


def run_of(appliance: Appliance) -> Run:
    operation = record(appliance, workflows_of(), instance="sales")
    whole = Run(
        appliance=appliance,
        operation=operation,
        step="rehearsal-clear",
        interrupted=False,
        cancellable=False,
        now=now,
        end_children_here=lambda: None,
    )
    return whole.within("rehearsal")


def test_it_is_made_from_the_newest_point_of_the_release_that_serves(appliance: Appliance) -> None:
    add_point(appliance, "left-behind", "2.8.6")
    assert appliance.store.points.list("sales")[0].id == "left-behind"
    assert newest_of_what_serves(appliance, "sales").id == "sales-2"


def test_without_a_point_of_the_release_that_serves_it_is_said_how_to_take_one(appliance: Appliance) -> None:
    appliance.store.instances.serve("sales", deployment("2.8.6", "2.8"), previous=None)
    with pytest.raises(NotFound, match=r"no recovery point of 2\.8\.6.* appliance backup sales"):
        newest_of_what_serves(appliance, "sales")


def test_once_the_copy_is_cleared_nothing_of_its_name_is_taken_back_again(appliance: Appliance) -> None:
    run = run_of(appliance)
    run.remember(created="sales-rehearsal", subject="sales-rehearsal")
    clear(run)
    add_sales(appliance, name="sales-rehearsal", slot=1)  # the copy of another rehearsal
    remove_instance(run)
    clear(run)
    assert appliance.store.instances.find("sales-rehearsal") is not None
