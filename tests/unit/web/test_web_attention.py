"""What needs attention: what mends it is at hand, and it can be snoozed, but never what is worse."""

from datetime import timedelta

import pytest

from appliance.store.models import SnoozeRow
from monitoring.ledger import State
from tests.support.web_world import NOON, Browser, PanelWorld, add_sales, client_of
from tests.unit.web.test_web_pages import see, text_of

UNPROVEN, NO_BACKUP = "sales.unproven", "sales.no-backup"


@pytest.fixture(autouse=True)
def unproven(world: PanelWorld) -> None:
    world.appliance.store.points.forget(["sales-1"])


def snoozed(world: PanelWorld) -> set[str]:
    return set(world.appliance.store.snoozes.lasting(world.moment))


def test_what_mends_it_is_one_press_away_for_who_may(alice: Browser, victor: Browser) -> None:
    assert 'action="/instances/sales/drill"' in alice.get("/").text
    page = victor.get("/").text
    assert "No backup of sales was ever restored." in page
    assert ('action="/instances/sales/drill"' in page, 'action="/attention/snooze"' in page) == (False, False)


def test_what_is_snoozed_is_seen_apart_and_comes_back(world: PanelWorld, oscar: Browser) -> None:
    assert oscar.post("/attention/snooze", {"key": UNPROVEN}).status_code == 303
    text = text_of(oscar.get("/").text)
    assert "Nothing but what is snoozed" in text
    assert "Snoozed until 2026-03-03 12:00:00 UTC by Oscar" in text
    world.moment = NOON + timedelta(days=1)
    assert "Snoozed until" not in world.browser_of("Oscar").get("/").text
    assert [entry.action for entry in world.appliance.store.audit.list(limit=1)] == ["snooze"]


def test_it_can_be_woken(world: PanelWorld, oscar: Browser) -> None:
    oscar.post("/attention/snooze", {"key": UNPROVEN})
    assert oscar.post("/attention/wake", {"key": UNPROVEN}).status_code == 303
    assert snoozed(world) == set()
    refused = oscar.post("/attention/wake", {"key": UNPROVEN})
    assert (refused.status_code, "This is not snoozed. Nothing was changed." in refused.text) == (404, True)


def test_what_becomes_worse_is_seen_although_the_lesser_was_snoozed(world: PanelWorld, alice: Browser) -> None:
    see(world, State.DEGRADED)
    alice.post("/attention/snooze", {"key": "sales.degraded"})
    assert "Snoozed until" in alice.get("/").text
    see(world, State.DOWN)
    text = text_of(alice.get("/").text)
    assert "sales is down: no answer." in text
    assert "Snoozed until" not in text


def test_the_worst_comes_first(world: PanelWorld, alice: Browser) -> None:
    add_sales(world.appliance, name="zeta", slot=1)
    world.appliance.store.points.forget(["zeta-1", "zeta-2"])
    page = alice.get("/").text
    assert page.index("zeta has no backup.") < page.index("No backup of sales was ever restored.")


@pytest.mark.parametrize(
    ("body", "code"),
    [
        ({"key": "sales.nothing"}, 404),
        ({"key": UNPROVEN, "length": "8d"}, 422),
        ({"key": UNPROVEN, "length": "0m"}, 422),
        ({"key": UNPROVEN, "length": ""}, 422),
        ({"key": UNPROVEN, "length": "<b>"}, 422),
    ],
)
def test_what_cannot_be_snoozed_is_refused_and_left(world: PanelWorld, body: dict[str, str], code: int) -> None:
    answer = world.program_of("Oscar").post("/api/v1/attention/snoozes", json=body)
    assert (answer.status_code, "othing was changed" in answer.json()["detail"]) == (code, True), answer.text
    assert snoozed(world) == set()


def test_what_is_red_is_out_of_sight_for_a_day_at_most(world: PanelWorld) -> None:
    world.appliance.store.points.forget(["sales-2"])
    program = world.program_of("Oscar")
    refused = program.post("/api/v1/attention/snoozes", json={"key": NO_BACKUP, "length": "2d"})
    assert (refused.status_code, refused.json()["field"]) == (422, "length")
    assert program.post("/api/v1/attention/snoozes", json={"key": NO_BACKUP, "length": "1d"}).status_code == 204
    (told,) = program.get("/api/v1/attention").json()
    assert (told["key"], told["severity"], told["mends"], told["snoozed_by"]) == (NO_BACKUP, "red", "backup", "Oscar")
    assert program.delete(f"/api/v1/attention/snoozes/{NO_BACKUP}").status_code == 204
    (told,) = program.get("/api/v1/attention").json()
    assert (told["snoozed_until"], told["snoozed_by"]) == (None, "")


def test_snoozes_that_are_over_do_not_pile_up(world: PanelWorld) -> None:
    program = world.program_of("Oscar")
    program.post("/api/v1/attention/snoozes", json={"key": UNPROVEN, "length": "1m"})
    world.moment = NOON + timedelta(minutes=2)
    world.appliance.store.points.forget(["sales-2"])
    assert program.post("/api/v1/attention/snoozes", json={"key": NO_BACKUP}).status_code == 204
    with world.appliance.store.database.reading() as session:
        assert [row.key for row in session.query(SnoozeRow)] == [NO_BACKUP]


def test_a_viewer_snoozes_nothing(world: PanelWorld, victor: Browser) -> None:
    assert victor.post("/attention/snooze", {"key": UNPROVEN}).status_code == 403
    assert snoozed(world) == set()
    assert client_of(world.app).get("/api/v1/attention").status_code == 401
