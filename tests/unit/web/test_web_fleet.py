"""The form that patches the fleet, and a schedule of it: who is first, and when it stops."""

import pytest

from tests.support.web_world import Browser, PanelWorld

CHOSEN = {"canary:host:web1": "yes", "canary:sales": "yes", "stop_after": "3", "what": "all", "reboot": "yes"}
WINDOW = {"days": "SUN", "begin": "02:00", "minutes": "120", "time_zone": "UTC"}
SCHEDULED = WINDOW | {"name": "nightly", "what": "security", "stop_after": "2"}


def test_the_fleet_is_patched_as_the_form_says(world: PanelWorld, oscar: Browser) -> None:
    assert 'href="/updates/fleet"' in oscar.get("/updates").text
    assert oscar.post("/updates/fleet", CHOSEN).headers["location"] == "/operations/1"
    (operation,) = world.operations()
    assert (operation.kind, operation.instance, operation.requested_by) == ("fleet-patch", "fleet:all", "Oscar")
    assert operation.parameters == {"canaries": ["host:web1", "sales"], "stop_after": 3, "what": "all", "reboot": True}
    assert "the fleet" in oscar.get("/operations/1").text


def test_the_form_names_who_belongs_to_it_and_chooses_what_is_safest(world: PanelWorld, oscar: Browser) -> None:
    page = oscar.get("/updates/fleet").text
    assert [name in page for name in ("canary:sales", "canary:host:web1", "canary:host:localhost")] == [True, True, False]
    assert "checked" not in page
    oscar.post("/updates/fleet", {"stop_after": "1"})
    assert world.operations()[0].parameters == {"canaries": [], "stop_after": 1, "what": "security", "reboot": False}


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"canary:gone": "yes"}, "&#39;gone&#39; does not belong to the fleet (sales, host:web1). Nothing was changed."),
        ({"stop_after": "many"}, "&#39;many&#39; is not a number. Nothing was changed."),
        ({"stop_after": ""}, "&#39;&#39; is not a number. Nothing was changed."),
        ({"stop_after": "21"}, "stop_after: Input should be less than or equal to 20. Nothing was changed."),
        ({"what": "some"}, "what: Input should be &#39;security&#39; or &#39;all&#39;. Nothing was changed."),
    ],
)
def test_the_form_comes_back_with_what_is_wrong_and_what_was_chosen(
    world: PanelWorld, oscar: Browser, wrong: dict[str, str], said: str
) -> None:
    answer = oscar.post("/updates/fleet", CHOSEN | wrong)
    assert (answer.status_code, world.operations()) == (422, [])
    assert f'role="alert">{said}' in answer.text
    assert 'name="canary:sales" value="yes" checked' in answer.text


def test_a_fleet_of_none_is_said_to_be_empty(world: PanelWorld, oscar: Browser) -> None:
    world.appliance.store.instances.remove("sales")
    world.appliance.store.hosts.remove("web1")
    assert "The fleet is empty" in oscar.get("/updates/fleet").text
    assert oscar.post("/updates/fleet", {"stop_after": "1"}).status_code == 409


def test_a_program_names_canaries_too(world: PanelWorld) -> None:
    wanted = {"kind": "fleet-patch", "instance": "fleet:all", "parameters": {"canaries": ["nobody"]}}
    refused = world.program_of("Oscar").post("/api/v1/operations", json=wanted)
    assert (refused.status_code, refused.json()["field"]) == (422, "canaries")


def test_a_schedule_of_the_fleet_has_canaries(world: PanelWorld, oscar: Browser) -> None:
    assert oscar.post("/schedules/add", SCHEDULED | {"subject": "fleet:all", "canary:sales": "yes"}).status_code == 303
    (made,) = world.appliance.store.schedules.list()
    assert (made.kind, made.parameters) == ("fleet-patch", {"what": "security", "reboot": False, "canaries": ["sales"]})


def test_canaries_of_anybody_else_are_refused(world: PanelWorld, oscar: Browser) -> None:
    answer = oscar.post("/schedules/add", SCHEDULED | {"subject": "sales", "canary:sales": "yes"})
    assert (answer.status_code, world.appliance.store.schedules.list()) == (422, [])
    assert "Only the fleet has canaries" in answer.text
    assert 'name="canary:sales" value="yes" checked' in answer.text
