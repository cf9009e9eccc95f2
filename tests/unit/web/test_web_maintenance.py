"""Closing a CRM to its users, as the pages, the status page and the API tell it."""

from appliance.domain.closure import Closure
from tests.support.web_world import NOON, Browser, PanelWorld

CLOSED = Closure(message="Stocktaking.", by="Alice", at=NOON)


def test_the_pages_say_who_closed_it_and_what_its_users_are_told(world: PanelWorld, oscar: Browser, victor: Browser) -> None:
    assert "Close to users" in oscar.get("/instances/sales").text
    assert "Close to users" not in victor.get("/instances/sales").text
    refused = oscar.post("/instances/sales/maintenance", {"wanted": "yes", "message": "{{ 7*7 }}"})
    assert (refused.status_code, "may not contain" in refused.text, world.operations()) == (422, True, [])
    assert oscar.post("/instances/sales/maintenance", {"wanted": "yes", "message": "Stocktaking."}).status_code == 303
    assert world.operations()[0].parameters == {"wanted": True, "message": "Stocktaking."}


def test_a_closure_is_shown_and_not_forgotten(world: PanelWorld) -> None:
    store = world.appliance.store
    store.instances.close("sales", CLOSED)
    store.instances.publish("sales", wanted=True, by="Alice", now=NOON)
    page = world.browser_of("Oscar").get("/instances/sales").text
    assert ("Closed by Alice" in page, "Let users in" in page) == (True, True)
    assert "Stocktaking." in world.browser_of("Mallory").get("/status").text
    assert "closed to its users" not in world.browser_of("Oscar").get("/").text
    world.moment = NOON.replace(hour=17)
    assert "sales is closed to its users by Alice (5 hours ago)." in world.browser_of("Oscar").get("/").text
    told = world.program_of("Victor").get("/api/v1/instances/sales").json()["closed"]
    assert told == {"message": "Stocktaking.", "by": "Alice", "at": "2026-03-02T12:00:00Z"}
