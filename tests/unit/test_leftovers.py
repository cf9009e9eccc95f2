"""What is taken for left behind, and what is not: nothing that serves, is the way back, is at work, or may be somebody else's."""

import json
import os
from dataclasses import replace
from pathlib import Path

import psutil
import pytest

from appliance.domain.instance import InstanceState
from appliance.domain.operation import OperationStatus
from appliance.operations.carriers import carrier_file
from appliance.operations.leftovers import Leftovers, foreign, left_behind, see
from appliance.operations.machines import machine_of
from appliance.wiring import Appliance
from tests.support.left_behind import add_laid_out, described, lay_out, leave_deployment, marked_process, page_of, root_of
from tests.support.operating import make_appliance
from tests.support.web_world import add_sales


@pytest.fixture
def appliance(tmp_path: Path) -> Appliance:
    made = make_appliance(tmp_path)
    add_laid_out(made)
    return made


def found(appliance: Appliance, name: str = "sales") -> Leftovers:
    view = see(appliance, machine_of(appliance, "localhost", channel="test"))
    return left_behind(appliance, appliance.store.instances.get(name), view)


def test_what_serves_and_the_way_back_are_not_left_behind(appliance: Appliance) -> None:
    assert found(appliance) == Leftovers()
    assert str(found(appliance)) == ""


def test_a_maintenance_page_that_nobody_has_put_there_is(appliance: Appliance) -> None:
    page_of(appliance).touch()
    assert found(appliance).page
    assert str(found(appliance)) == "the maintenance page is up"


@pytest.mark.parametrize("way", ["new", "stops"])
def test_a_deployment_is_once_the_operation_that_made_it_has_ended(appliance: Appliance, way: str) -> None:
    made = leave_deployment(appliance, way=way)
    assert found(appliance).deployments == (made,)
    assert found(appliance).unknown == {}


def test_a_deployment_of_an_operation_that_needs_attention_is_not_taken_for_one(appliance: Appliance) -> None:
    made = leave_deployment(appliance, status=OperationStatus.NEEDS_ATTENTION)
    assert (found(appliance).deployments, list(found(appliance).unknown)) == ((), [made.id])


def test_a_deployment_that_no_known_operation_has_made_may_have_served_and_is_only_named(appliance: Appliance) -> None:
    complete, unfinished = described(appliance, "sales", "0003-77"), described(appliance, "sales", "0004-78")
    lay_out(complete)
    Path(unfinished.directory).mkdir()
    assert found(appliance).deployments == ()
    assert found(appliance).unknown == {complete.id: complete, unfinished.id: None}
    assert not found(appliance).is_its_own


@pytest.mark.parametrize("id_", ["0003-1", "notes", "0003-99999999999999999999", "-1"])
def test_a_directory_of_any_name_among_the_deployments_is_only_named(appliance: Appliance, id_: str) -> None:
    add_laid_out(appliance, "other", slot=1)
    leave_deployment(appliance, name="other")
    (root_of(appliance) / "deployments" / id_).mkdir()
    assert found(appliance).unknown == {id_: None}


@pytest.mark.parametrize("text", ["", "{", "[]", "{}", '{"id": "0003-77"}', "\xff"])
def test_a_deployment_that_says_something_else_is_only_named(appliance: Appliance, text: str) -> None:
    unfinished = Path(described(appliance, "sales", "0003-77").directory)
    unfinished.mkdir()
    (unfinished / "deployment.json").write_text(text, encoding="latin-1")
    assert found(appliance).unknown == {"0003-77": None}


@pytest.mark.parametrize("changed", [{"database": "crm_0002_12"}, {"directory": "/srv"}, {"id": "0002-12"}])
def test_what_a_deployment_says_of_itself_is_not_believed_when_it_names_what_is_kept(appliance: Appliance, changed: dict[str, str]) -> None:
    lying = described(appliance, "sales", "0003-77")
    lay_out(lying)
    (Path(lying.directory) / "deployment.json").write_text(json.dumps({**lying.as_variables(), **changed}))
    assert found(appliance).unknown == {"0003-77": None}


def test_nothing_is_judged_where_the_appliance_does_not_remember_what_serves(appliance: Appliance) -> None:
    leave_deployment(appliance)
    page_of(appliance).touch()
    (root_of(appliance) / "current").unlink()
    (root_of(appliance) / "current").symlink_to("deployments/0003-1")
    assert found(appliance) == Leftovers(stranger="deployments/0003-1")


@pytest.mark.parametrize(("status", "is_left"), [(OperationStatus.SUCCEEDED, True), (OperationStatus.RUNNING, False)])
def test_processes_are_left_behind_once_their_operation_has_ended(appliance: Appliance, status: OperationStatus, *, is_left: bool) -> None:
    operation = int(leave_deployment(appliance, status=status).id.partition("-")[2])
    with marked_process(appliance, operation):
        assert found(appliance).operations == ((operation,) if is_left else ())


def test_processes_of_an_operation_that_the_journal_does_not_know_are_unless_it_is_carried(appliance: Appliance) -> None:
    with marked_process(appliance, 77):
        assert found(appliance).operations == (77,)
        file = carrier_file(appliance.settings, 77).path
        file.parent.mkdir(exist_ok=True)
        file.write_text(f"{os.getpid()} {psutil.Process().create_time()}")
        assert found(appliance).operations == ()


@pytest.mark.parametrize("copy", ["sales-drill", "sales-rehearsal"])
def test_a_scratch_copy_is_left_behind_unless_it_is_in_use(appliance: Appliance, copy: str) -> None:
    root_of(appliance, copy).mkdir()
    assert found(appliance).copies == (copy,)
    source = appliance.store.instances.get("sales")
    appliance.store.instances.add(replace(source, name=copy, slot=7, state=InstanceState.SCRATCH))
    assert found(appliance).copies == ()


def test_a_scratch_copy_whose_source_is_not_certain_is_left_alone(appliance: Appliance) -> None:
    for slot, name in enumerate(("a-very-long-name-of-one", "a-very-long-name-of-two"), start=1):
        add_sales(appliance, name=name, slot=slot)
    root_of(appliance, "a-very-long-name-o-drill").mkdir()
    assert found(appliance, "a-very-long-name-of-one").copies == ()


def test_a_directory_of_nobody_is_foreign_if_it_has_deployments(appliance: Appliance) -> None:
    for directory in ("lost+found", "theirs/deployments/0001-1", "gone-drill/deployments/0001-1", "sales-drill/deployments/0001-1"):
        (appliance.settings.crm_root / directory).mkdir(parents=True)
    view = see(appliance, machine_of(appliance, "localhost", channel="test"))
    assert foreign(appliance, view) == ["gone-drill", "theirs"]
