"""What the forms request, and how they show what is refused."""

import pytest

from appliance.domain.instance import Archive
from appliance.domain.operation import OperationStatus
from appliance.domain.repository import Repository
from tests.support.web_world import NOON, STEPS, Browser, PanelWorld, add_sales, end_operation, run_operation


def requested(world: PanelWorld) -> tuple[str, str, dict[str, object], str]:
    operation = world.operations()[0]
    return operation.kind, operation.instance, dict(operation.parameters), operation.requested_by


@pytest.mark.parametrize(
    ("kind", "fields", "parameters"),
    [
        ("backup", {}, {}),
        ("archive", {"wanted": "yes"}, {"wanted": True}),
        ("archive", {"wanted": ""}, {"wanted": False}),
        ("restore", {"way": "in_place", "point": "sales-1", "only": "files", "confirmation": "sales"}, {"only": "files"}),
        ("drill", {"point": "sales-1"}, {"point": "sales-1"}),
        ("drill", {}, {"point": "sales-2"}),
        ("upgrade", {"release": "2.8.6"}, {"to": "2.8.6", "rehearsal": True}),
        ("upgrade", {"release": "2.8.6", "unrehearsed": "yes"}, {"to": "2.8.6", "rehearsal": False}),
        ("rollback", {"confirmation": "sales"}, {}),
        ("restore", {"way": "in_place", "point": "sales-1", "confirmation": "sales"}, {"point": "sales-1"}),
        (
            "restore",
            {"way": "in_place", "point": "sales-1", "at": "2026-03-02T05:00:30", "confirmation": "sales"},
            {"point": "sales-2", "at": "2026-03-02T05:00:30Z", "way": "log"},
        ),
        ("remove", {"confirmation": "sales"}, {"purge": False}),
        ("remove", {"confirmation": "sales", "purge": "yes"}, {"purge": True}),
    ],
)
def test_a_form_requests_its_operation_and_leads_to_it(
    world: PanelWorld, alice: Browser, kind: str, fields: dict[str, str], parameters: dict[str, object]
) -> None:
    answer = alice.post(f"/instances/sales/{kind}", fields)
    assert (answer.status_code, answer.headers["location"]) == (303, "/operations/1")
    asked_kind, instance, asked, by = requested(world)
    assert (asked_kind, instance, by) == (kind, "sales", "Alice")
    assert parameters.items() <= asked.items()


def test_a_restore_beside_makes_a_new_crm(world: PanelWorld, alice: Browser) -> None:
    answer = alice.post("/instances/sales/restore", {"way": "beside", "point": "sales-1", "new_name": "sales-copy"})
    assert answer.status_code == 303
    kind, instance, parameters, _ = requested(world)
    assert (kind, instance, parameters["source"], parameters["point"]) == ("restore-beside", "sales-copy", "sales", "sales-1")


def test_a_moment_can_be_asked_for_where_every_change_is_kept(world: PanelWorld, alice: Browser, oscar: Browser) -> None:
    assert 'name="at"' not in alice.get("/instances/sales/restore").text
    assert "Keep every change" in oscar.get("/instances/sales").text
    world.appliance.store.instances.archive("sales", Archive(deployment="0001-2.7.13", spool="/s", database={}))
    assert 'name="at"' in alice.get("/instances/sales/restore").text
    assert "Keep no longer" in alice.get("/instances/sales").text
    assert "Keep no longer" not in oscar.get("/instances/sales").text
    assert oscar.post("/instances/sales/archive", {"wanted": ""}).status_code == 403
    refused = alice.post("/instances/sales/restore", {"way": "in_place", "at": "soon", "confirmation": "sales"})
    assert refused.status_code == 422
    assert 'id="at"' in refused.text


def offsite(world: PanelWorld) -> None:
    location = "rest:https://nas.example.org:8000/crm/"
    world.appliance.store.repositories.add(Repository(name="offsite", location=location, created_at=NOON), by="Alice")


def test_a_crm_whose_database_is_destroyed_comes_back_as_late_as_was_received(world: PanelWorld, alice: Browser) -> None:
    world.appliance.store.instances.archive("sales", Archive(deployment="0001-2.7.13", spool="/s", database={}))
    fields = {"way": "in_place", "at": "2026-03-02T05:00:30", "latest": "yes", "unsaved": "yes", "confirmation": "sales"}
    assert alice.post("/instances/sales/restore", fields).status_code == 303
    _, _, parameters, _ = requested(world)
    assert {"at": "latest", "way": "log", "safety_backup": False}.items() <= parameters.items()


def test_a_restore_reads_from_a_repository_elsewhere(world: PanelWorld, alice: Browser) -> None:
    assert 'name="repository"' not in alice.get("/instances/sales/restore").text
    offsite(world)
    assert "<option>offsite</option>" in alice.get("/instances/sales/restore").text
    fields = {"way": "in_place", "point": "sales-1", "repository": "offsite", "confirmation": "sales"}
    assert alice.post("/instances/sales/restore", fields).status_code == 303
    assert requested(world)[2]["repository"] == "offsite"


@pytest.mark.parametrize("gone", [False, True])
def test_a_crm_is_brought_back_on_another_host_from_elsewhere(world: PanelWorld, alice: Browser, *, gone: bool) -> None:
    offsite(world)
    if gone:
        world.appliance.store.instances.remove("sales")
    address = "/backups/sales/restore" if gone else "/instances/sales/restore"
    assert "<option>web1</option>" in alice.get(address).text
    fields = {"way": "beside", "point": "sales-1", "new_name": "sales-web1", "host": "web1"}
    refused = alice.post(address, fields)
    assert (refused.status_code, world.operations()) == (422, [])
    assert "lies on the host localhost and is restored there" in refused.text
    assert "<option selected>web1</option>" in refused.text
    assert alice.post(address, fields | {"repository": "offsite"}).status_code == 303
    _, instance, parameters, _ = requested(world)
    assert (instance, parameters["repository"], parameters["host"]) == ("sales-web1", "offsite", "web1")


def test_a_removed_crm_is_brought_back_from_its_page_under_its_old_name_or_another(world: PanelWorld, alice: Browser) -> None:
    world.appliance.store.instances.remove("sales")
    page = alice.get("/backups/sales/restore?point=sales-1").text
    assert 'value="sales-1" selected' in page
    assert 'name="new_name" value="sales"' in page
    refused = alice.post("/backups/sales/restore", {"point": "sales-1", "new_name": "../etc"})
    assert (refused.status_code, world.operations()) == (422, [])
    for name in ("sales", "sales-2026"):
        answer = alice.post("/backups/sales/restore", {"point": "sales-1", "new_name": name})
        kind, instance, parameters, _ = requested(world)
        assert (answer.status_code, kind, instance) == (303, "restore-beside", name)
        assert (parameters["source"], parameters["point"]) == ("sales", "sales-1")


def test_a_crm_that_is_there_is_restored_from_its_own_page(alice: Browser) -> None:
    answer = alice.get("/backups/sales/restore")
    assert (answer.status_code, answer.headers["location"]) == (303, "/instances/sales/restore")
    assert alice.get("/backups/never-was/restore").status_code == 404


def test_an_operator_may_not_make_a_new_crm_by_a_restore(world: PanelWorld, oscar: Browser) -> None:
    answer = oscar.post("/instances/sales/restore", {"way": "beside", "point": "sales-1", "new_name": "sales-copy"})
    assert (answer.status_code, world.operations()) == (403, [])


def test_an_upgrade_is_rehearsed_alone_from_its_form(world: PanelWorld, oscar: Browser) -> None:
    answer = oscar.post("/instances/sales/upgrade", {"release": "2.8.6", "only": "rehearse"})
    assert (answer.status_code, requested(world)) == (303, ("rehearse", "sales", {"to": "2.8.6"}, "Oscar"))


def test_an_operator_may_not_upgrade_without_a_rehearsal(world: PanelWorld, oscar: Browser) -> None:
    assert "Without a rehearsal" not in oscar.get("/instances/sales/upgrade").text
    answer = oscar.post("/instances/sales/upgrade", {"release": "2.8.6", "unrehearsed": "yes"})
    assert (answer.status_code, world.operations()) == (403, [])


@pytest.mark.parametrize("address", ["remove", "rollback", "restore"])
@pytest.mark.parametrize("typed", ["", "Sales", "other"])
def test_what_loses_data_wants_the_name_typed(world: PanelWorld, alice: Browser, address: str, typed: str) -> None:
    answer = alice.post(f"/instances/sales/{address}", {"confirmation": typed, "way": "in_place", "point": "sales-1"})
    assert (answer.status_code, world.operations()) == (422, [])
    assert "Type sales to go on; nothing was changed" in answer.text


def test_an_install_is_requested_with_its_settings(world: PanelWorld, alice: Browser) -> None:
    product = world.appliance.catalogue.list()[0].definition.id
    answer = alice.post("/install", {"product": product, "name": "support", "release": "2.8.6", "setting.language": "fr"})
    assert answer.status_code == 303
    kind, instance, parameters, _ = requested(world)
    assert (kind, instance, parameters["release"]) == ("install", "support", "2.8.6")
    assert parameters["settings"] == {"language": "fr", "time_zone": "UTC"}


@pytest.mark.parametrize(
    ("fields", "told"),
    [
        ({"name": "../etc"}, "cannot name an instance"),
        ({"name": "-rf"}, "cannot name an instance"),
        ({"name": "x'; DROP TABLE users"}, "cannot name an instance"),
        ({"name": ""}, "cannot name an instance"),
        ({"setting.time_zone": "{{ 7 * 7 }}"}, "may not contain"),
        ({"setting.language": "xx"}, "is one of"),
        ({"setting.unknown": "x"}, "There is no setting"),
    ],
)
def test_a_refused_install_shows_the_form_again_with_what_was_given(
    world: PanelWorld, alice: Browser, fields: dict[str, str], told: str
) -> None:
    product = world.appliance.catalogue.list()[0].definition.id
    answer = alice.post("/install", {"product": product, "name": "support", "setting.time_zone": "Europe/Rome", **fields})
    assert (answer.status_code, world.operations()) == (422, [])
    assert told in answer.text
    assert fields.get("name") is not None or 'value="support"' in answer.text


def test_a_jump_that_the_vendor_forbids_is_refused_with_what_would_work(world: PanelWorld, alice: Browser) -> None:
    world.appliance.store.instances.serve("sales", None, previous=None)
    answer = alice.post("/instances/sales/upgrade", {"release": "2.8.6"})
    assert (answer.status_code, world.operations()) == (409, [])
    assert "Nothing was changed" in answer.text


def test_a_busy_crm_is_named_with_what_it_does(world: PanelWorld, alice: Browser) -> None:
    running = run_operation(world.appliance)
    answer = alice.post("/instances/sales/backup")
    assert (answer.status_code, world.operations()) == (409, [running])
    assert "sales is busy with operation 1 (upgrade, running)" in answer.text


def test_a_running_operation_is_asked_to_stop(world: PanelWorld, oscar: Browser) -> None:
    run_operation(world.appliance)
    assert oscar.post("/operations/1/cancel").status_code == 303
    assert world.operations()[0].cancel_requested


def test_an_ended_operation_cannot_be_cancelled(world: PanelWorld, oscar: Browser) -> None:
    end_operation(world.appliance, run_operation(world.appliance).id, OperationStatus.SUCCEEDED)
    answer = oscar.post("/operations/1/cancel")
    assert answer.status_code == 409
    assert "nothing to cancel" in answer.text


def test_a_failed_operation_is_tried_again(world: PanelWorld, oscar: Browser) -> None:
    end_operation(world.appliance, run_operation(world.appliance, kind="backup").id, OperationStatus.FAILED)
    assert oscar.post("/operations/1/retry").headers["location"] == "/operations/2"


def test_an_upgrade_that_nobody_rehearsed_is_tried_again_by_an_administrator_only(world: PanelWorld, oscar: Browser) -> None:
    journal, unrehearsed = world.appliance.store.operations, {"to": "2.8.6", "rehearsal": False}
    ended = journal.record(kind="upgrade", instance="sales", parameters=unrehearsed, steps=STEPS, requested_by="Alice", now=NOON)
    end_operation(world.appliance, ended.id, OperationStatus.FAILED)
    assert oscar.post("/operations/1/retry").status_code == 403
    assert world.program_of("Oscar").post("/api/v1/operations/1/retry").status_code == 403
    assert "/operations/1/retry" not in oscar.get("/operations/1").text
    assert world.program_of("Alice").post("/api/v1/operations/1/retry").json()["id"] == 2


def test_an_operation_that_needed_somebody_goes_on_and_it_is_audited(world: PanelWorld, oscar: Browser) -> None:
    operation = run_operation(world.appliance)
    world.appliance.store.operations.finish(operation.id, OperationStatus.NEEDS_ATTENTION, now=NOON, next_action="Start PostgreSQL.")
    assert oscar.post("/operations/1/retry").headers["location"] == "/operations/1"
    assert (world.operations()[0].status, world.operations()[0].next_action) == (OperationStatus.QUEUED, None)
    with world.appliance.store.database.engine.connect() as connection:
        assert connection.exec_driver_sql("SELECT actor, action, subject FROM audit").all()[-1] == ("Oscar", "retry", "sales")


def test_the_upgrade_form_offers_only_what_one_step_reaches(alice: Browser) -> None:
    page = alice.get("/instances/sales/upgrade").text
    assert 'value="2.8.6" selected' in page
    assert 'value="2.7.12"' not in page


def test_forms_of_a_crm_that_is_not_there_say_so(world: PanelWorld, alice: Browser) -> None:
    add_sales(world.appliance, name="support", slot=1)
    addresses = [f"/instances/gone{end}" for end in ("", "/upgrade", "/rollback", "/restore", "/remove")]
    assert {alice.get(address).status_code for address in addresses} == {404}
