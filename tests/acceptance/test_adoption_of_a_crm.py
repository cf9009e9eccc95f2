"""How much people work with a real CRM: asked of its own database, told to metrics and people, and nobody is named."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import httpx
import pytest

from appliance.domain.adoption import Adoption
from appliance.operations.adopting import measure
from tests.conftest import Crm
from tests.support.house import CLONE, wait_for

WORK = CLONE / "tests" / "support" / "creme_adoption.py"
AGE = (
    "update creme_core_cremeentity e set modified = now() - interval '100 days' from persons_organisation o "
    "where o.cremeentity_ptr_id = e.id and not o.is_managed"
)
OLD_WORK = "update creme_core_historyline set date = date - interval '10 days' where username = 'alice'"


@pytest.fixture(scope="module", autouse=True)
def worked(crm: Crm) -> Iterator[None]:
    """Others compare the CRM's records with what it held before them: what is entered here belongs to that."""
    yield
    crm.records.update(crm.house.records(crm.name))


def measured(crm: Crm) -> Adoption:
    appliance = crm.house.appliance
    found = measure(appliance, appliance.store.instances.get(crm.name), now=datetime.now(UTC))
    assert found.problem == ""
    appliance.store.adoption.put(found)
    return found


def test_who_works_with_it_is_told_by_department_and_never_by_name(crm: Crm) -> None:
    crm.house.launch(crm.name, "creme shell", WORK)
    crm.house.sql(crm.name, AGE)
    found, today = measured(crm), datetime.now(UTC).date()
    assert (found.departments, found.active_on(today, "Sales"), found.last_active("Support")) == (("Sales", "Support"), 1, None)
    assert found.records >= 300
    assert found.untouched >= 100
    assert found.newest_change is not None
    assert datetime.now(UTC) - found.newest_change < timedelta(minutes=10)
    told = crm.house.done("instance", "adoption", crm.name)
    assert "Sales" in told
    assert "alice" not in told + str(found)


def metrics(crm: Crm) -> str:
    return httpx.get(f"http://{crm.house.settings.monitor_listen}/metrics", timeout=10).text


def test_a_team_that_stopped_is_seen_in_the_metrics_of_the_monitor(crm: Crm) -> None:
    crm.house.sql(crm.name, OLD_WORK)
    crm.house.appliance.store.adoption.keep_only(set())
    assert measured(crm).last_active("Sales") == datetime.now(UTC).date() - timedelta(days=10)
    began = datetime.combine(datetime.now(UTC).date() - timedelta(days=10), datetime.min.time(), UTC).timestamp()
    wanted = f'appliance_adoption_last_active_timestamp_seconds{{crm="{crm.name}",department="Sales"}} {began}'
    wait_for(lambda: wanted in metrics(crm), seconds=90)
    assert "alice" not in metrics(crm)


def test_switched_off_it_is_forgotten(crm: Crm) -> None:
    crm.house.done("instance", "adoption", crm.name, "--off")
    wait_for(lambda: "appliance_adoption_records{" not in metrics(crm), seconds=90)
    assert crm.house.appliance.store.adoption.find(crm.name) is None
    crm.house.done("instance", "adoption", crm.name, "--on")
