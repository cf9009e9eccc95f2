"""The status page: what the users of CRMs see without logging in, and what they don't."""

from datetime import timedelta

import pytest

from appliance.domain.notice import read_notice
from appliance.domain.schedule import Schedule
from appliance.domain.window import Window
from appliance.errors import InvalidRequest
from monitoring.ledger import State
from tests.support.seen_states import each_quarter_minute, write_states
from tests.support.web_world import NOON, Browser, PanelWorld, add_sales

HOSTILE = "<script>alert(1)</script>{{ 7*7 }}"
INTERNAL = "connection to 10.1.2.3 refused"


@pytest.fixture(autouse=True)
def down_for_a_while(world: PanelWorld) -> None:
    states = each_quarter_minute(NOON, State.UP, State.DOWN, State.DOWN, State.DOWN, State.UP)
    write_states(world.appliance.settings.ledger_file, "sales", states, reason=INTERNAL)


def test_nothing_is_shown_before_somebody_publishes_it(mallory: Browser) -> None:
    assert [mallory.get(address).status_code for address in ("/status", "/status/export")] == [404, 404]


def test_strangers_see_whether_it_works_and_no_cause(world: PanelWorld, alice: Browser, mallory: Browser) -> None:
    add_sales(world.appliance, name="support", slot=1)
    assert alice.post("/instances/sales/publication", {"wanted": "yes"}).status_code == 303
    page = mallory.get("/status").text
    assert "Works" in page
    assert "45 s" in page
    assert "25 % up" not in page  # never rounded
    assert "25.000 % up" in page
    for hidden in (INTERNAL, "live", "2.7.13", "support"):
        assert hidden not in page
    alice.post("/instances/sales/publication", {"wanted": ""})
    assert mallory.get("/status").status_code == 404


def test_a_notice_is_shown_as_it_was_written_and_taken_back(world: PanelWorld, alice: Browser, oscar: Browser, mallory: Browser) -> None:
    alice.post("/instances/sales/publication", {"wanted": "yes"})
    assert oscar.post("/instances/sales/notices", {"text": f"  Back   at noon.\n{HOSTILE}"}).status_code == 303
    (notice,) = world.appliance.store.notices.list()
    assert (notice.text, notice.by) == (f"Back at noon.\n{HOSTILE}", "Oscar")
    for page in (mallory.get("/status").text, mallory.get("/status/export").text, oscar.get("/instances/sales/outages").text):
        assert "Back at noon." in page
        assert "<script>alert" not in page
        assert "&lt;script&gt;alert(1)&lt;/script&gt;{{ 7*7 }}" in page
    assert oscar.post(f"/instances/sales/notices/{notice.id}/remove").status_code == 303
    assert "Back at noon." not in mallory.get("/status").text
    assert oscar.post(f"/instances/sales/notices/{notice.id}/remove").status_code == 404


def test_what_is_written_about_an_outage_stands_beside_it(alice: Browser, oscar: Browser, mallory: Browser) -> None:
    alice.post("/instances/sales/publication", {"wanted": "yes"})
    began = (NOON - timedelta(seconds=45)).isoformat()
    assert f'<option value="{began}">' in oscar.get("/instances/sales/outages").text
    assert oscar.post("/instances/sales/notices", {"text": f"A disk was full. {HOSTILE}", "outage": began}).status_code == 303
    for page in (mallory.get("/status").text, mallory.get("/status/export").text):
        assert "A disk was full. &lt;script&gt;" in page.partition("<h3>Outages</h3>")[2]
        assert "<h3>Notices</h3>" not in page
    assert "A disk was full." in oscar.get("/instances/sales/outages").text.partition('aria-labelledby="notices"')[0]


def test_a_program_finds_the_outage_that_its_notice_is_about(world: PanelWorld) -> None:
    program = world.program_of("Alice")
    (outage,) = program.get("/api/v1/instances/sales/outages").json()
    assert (outage["length_seconds"], outage["cause"], outage["ended_at"] is None) == (45.0, "live", False)
    told = {"instance": "sales", "text": "A disk was full.", "outage_at": outage["started_at"]}
    made = program.post("/api/v1/notices", json=told)
    assert (made.status_code, made.json()["outage_at"]) == (201, outage["started_at"])
    assert program.get("/api/v1/instances/nosuch/outages").status_code == 404


@pytest.mark.parametrize(("outage", "said"), [("2026-03-02T11:00:00", "No outage of sales"), ("yesterday", "is no time")])
def test_what_is_about_no_outage_is_refused_and_what_was_typed_stays(world: PanelWorld, alice: Browser, outage: str, said: str) -> None:
    refused = alice.post("/instances/sales/notices", {"text": "A disk was full.", "outage": outage})
    assert (refused.status_code, said in refused.text, "A disk was full." in refused.text) == (422, True, True)
    assert (
        world.program_of("Alice")
        .post("/api/v1/notices", json={"instance": "sales", "text": "x", "outage_at": "2026-03-02T11:00:00Z"})
        .status_code
        == 422
    )
    assert world.appliance.store.notices.list() == []


def test_a_notice_that_says_nothing_is_refused_and_what_was_typed_stays(world: PanelWorld, alice: Browser) -> None:
    refused = alice.post("/instances/sales/notices", {"text": "x" * 1001})
    assert (refused.status_code, "1000 characters long at most" in refused.text, "x" * 1001 in refused.text) == (422, True, True)
    assert alice.post("/instances/nosuch/notices", {"text": "x"}).status_code == 404
    assert world.appliance.store.notices.list() == []


@pytest.mark.parametrize("text", ["", "  \n ", "a\x1b[2Jb", "a\u202eb"])
def test_what_is_no_notice(text: str) -> None:
    with pytest.raises(InvalidRequest, match="Nothing was changed"):
        read_notice(text)


def on_sundays(kind: str) -> Schedule:
    window = Window(days="SUN", begin="02:00", length=timedelta(hours=1))
    return Schedule(name=kind, subject="sales", kind=kind, window=window, created_at=NOON, dealt_with=NOON, counted_from=NOON)


def test_planned_maintenance_is_told_beforehand(world: PanelWorld, alice: Browser, mallory: Browser) -> None:
    alice.post("/instances/sales/publication", {"wanted": "yes"})
    world.appliance.store.schedules.add(on_sundays("backup"), by="Alice")
    assert "Planned maintenance" not in mallory.get("/status").text
    world.appliance.store.schedules.add(on_sundays("patch"), by="Alice")
    assert "Between 2026-03-08 02:00:00 UTC and 2026-03-08 03:00:00 UTC" in mallory.get("/status").text


def test_the_export_is_one_file_that_needs_no_other(alice: Browser, mallory: Browser) -> None:
    alice.post("/instances/sales/publication", {"wanted": "yes"})
    answer = mallory.get("/status/export")
    assert answer.headers["content-disposition"] == 'attachment; filename="status.html"'
    assert "<style>" in answer.text
    assert "/assets/" not in answer.text
    assert "<script" not in answer.text


def test_programs_publish_and_tell_too(world: PanelWorld, mallory: Browser) -> None:
    program = world.program_of("Alice")
    assert program.post("/api/v1/instances/sales/publication", json={"wanted": True}).status_code == 204
    assert program.get("/api/v1/instances/sales").json()["is_public"] is True
    made = program.post("/api/v1/notices", json={"instance": "sales", "text": "Back at noon."})
    assert (made.status_code, made.json()["by"]) == (201, "Alice")
    assert program.get("/api/v1/notices", params={"instance": "sales"}).json() == [made.json()]
    assert program.post("/api/v1/notices", json={"instance": "nosuch", "text": "x"}).status_code == 404
    assert "Back at noon." in mallory.get("/status").text
    assert program.delete(f"/api/v1/notices/{made.json()['id']}").status_code == 204
    assert program.delete(f"/api/v1/notices/{made.json()['id']}").status_code == 404


def test_what_users_were_told_goes_with_the_crm(world: PanelWorld) -> None:
    world.appliance.store.notices.add("sales", "x", by="Alice", now=NOON)
    world.appliance.store.instances.remove("sales")
    assert world.appliance.store.notices.list("sales") == []
