"""The page of updates: what waits, how severe it is, and what is not known."""

from datetime import datetime, timedelta
from itertools import pairwise

import pytest

from appliance.domain.pending import Advisory, Pending, PendingPackage, PendingRelease, Way
from tests.support.far_machine import FarMachine
from tests.support.web_world import NOON, Browser, PanelWorld
from tests.unit.web.test_web_pages import text_of

LIBSSL = PendingPackage(name="libssl3", installed="3.0.1", candidate="3.0.2", origin="Debian-Security:12", security=True)


def test_who_was_never_asked_is_not_shown_as_up_to_date(victor: Browser) -> None:
    page = victor.get("/updates").text
    assert "Nobody has asked yet" in page
    assert "Nothing pending" not in page


def test_releases_advisories_and_packages_are_listed(world: PanelWorld, victor: Browser) -> None:
    published = NOON - timedelta(days=12)
    release = PendingRelease(version="2.7.14", way=Way.PATCH, installable=False, published_at=published)
    advisory = Advisory(id="CVE-2026-1", package="django", version="5.1", summary="Escapes", fixed_in=("5.1.2",), severity="high")
    store = world.appliance.store.pending
    store.put(Pending(subject="sales", asked_at=NOON, installed="2.7.13", releases=(release,), advisories=(advisory,)))
    store.put(Pending(subject="host:web1", asked_at=NOON, packages=(LIBSSL,), reboot_required=True))
    page = victor.get("/updates").text
    for words in (
        "2.7.14",
        "not in the product definition yet",
        "12 days ago",
        "CVE-2026-1",
        "5.1.2",
        "High",
        "libssl3",
        "Reboot required",
    ):
        assert words in page


def test_what_cannot_be_asked_is_shown_as_such(world: PanelWorld, victor: Browser) -> None:
    world.appliance.store.pending.put(Pending(subject="sales", asked_at=NOON, problems=("the package index answers <500>",)))
    page = victor.get("/updates").text
    assert "Cannot be asked" in page
    assert "answers &lt;500&gt;" in page
    assert "Nothing pending" not in page


def test_an_operator_asks_anew(world: PanelWorld, oscar: Browser, machine: FarMachine, monkeypatch: pytest.MonkeyPatch) -> None:
    machine.refuse()
    monkeypatch.setenv("PIP_INDEX_URL", "http://127.0.0.1:1/simple")
    monkeypatch.setenv("PATH", str(machine.programs))  # without apt, this machine cannot be asked either
    assert oscar.post("/updates").status_code == 303
    assert {one.subject for one in world.appliance.store.pending.list()} == {"sales", "host:localhost", "host:web1"}
    assert all(one.problems for one in world.appliance.store.pending.list())


def test_a_program_reads_and_asks(world: PanelWorld, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PIP_INDEX_URL", "http://127.0.0.1:1/simple")
    program = world.program_of("Oscar")
    (found,) = program.post("/api/v1/pending", json={"subjects": ["sales"]}).json()
    assert found["problems"]
    assert program.get("/api/v1/pending").json() == [found]
    assert program.post("/api/v1/pending", json={"subjects": ["nobody"]}).status_code == 404


WINDOW = {"days": "SUN", "begin": "02:00", "minutes": 120, "time_zone": "Europe/Berlin", "blackouts": ["2026-12-24..2027-01-02"]}
NIGHTLY = {"name": "nightly", "subject": "sales", "window": WINDOW, "catch_up": "soon"}


def test_a_program_schedules_patches_and_pauses_them(world: PanelWorld) -> None:
    program = world.program_of("Oscar")
    made = program.post("/api/v1/schedules", json=NIGHTLY)
    assert (made.status_code, made.json()["window"], made.json()["next"]) == (
        201,
        WINDOW | {"every": 0, "jitter": 0},
        "2026-03-08T01:00:00Z",
    )
    assert [at[:10] for at in made.json()["coming"]] == [f"2026-03-{day:02}" for day in (8, 15, 22, 29)] + ["2026-04-05", "2026-04-12"]
    assert program.post("/api/v1/schedules", json=NIGHTLY).status_code == 409
    assert program.post("/api/v1/schedules/nightly/pause", json={"paused": True}).json()["paused"]
    assert program.post("/api/v1/schedules/pause", json={"paused": True}).json()["paused"]
    assert program.delete("/api/v1/schedules/nightly").status_code == 204
    assert program.get("/api/v1/schedules").json() == {
        "paused": True,
        "pause": {"by": "Oscar", "since": "2026-03-02T12:00:00Z", "reason": "", "until": None},
        "schedules": [],
    }


@pytest.mark.parametrize(
    ("field", "typed"),
    [
        ("days", "SOMEDAY"),
        ("begin", "2:00"),
        ("minutes", 10**18),
        ("time_zone", "Mars/Base"),
        ("blackouts", ["Christmas"]),
        ("every", 3),
        ("jitter", 61),
    ],
)
def test_a_window_that_cannot_be_is_refused_by_its_field(world: PanelWorld, field: str, typed: object) -> None:
    answer = world.program_of("Oscar").post("/api/v1/schedules", json={**NIGHTLY, "window": {**WINDOW, field: typed}})
    assert (answer.status_code, answer.json()["field"]) == (422, field)


def test_a_program_has_a_crm_backed_up_each_hour(world: PanelWorld) -> None:
    hourly = {"days": "MON-FRI", "begin": "07:00", "minutes": 720, "every": 60, "jitter": 15}
    wanted = {"name": "hourly", "subject": "sales", "work": "backup", "window": hourly}
    made = world.program_of("Oscar").post("/api/v1/schedules", json=wanted).json()
    assert hourly.items() <= made["window"].items()
    coming = [datetime.fromisoformat(at) for at in made["coming"]]
    assert [later - earlier for earlier, later in pairwise(coming)] == [timedelta(hours=1)] * 5


FILLED = {"name": "nightly", "subject": "host:web1", "days": "SUN", "begin": "02:00", "minutes": "120", "time_zone": "Europe/Berlin"}
FILLED |= {"blackouts": "2026-12-24, 2026-12-31..2027-01-02", "what": "all", "reboot": "yes", "catch_up": "yes", "stop_after": "3"}


def test_a_schedule_is_added_by_a_form_and_forgotten(world: PanelWorld, oscar: Browser) -> None:
    assert "host web1" in oscar.get("/schedules/add").text
    assert oscar.post("/schedules/add", FILLED).headers["location"] == "/updates"
    (made,) = world.appliance.store.schedules.list()
    assert str(made.window) == "SUN 02:00, 120 min, Europe/Berlin, not on 2026-12-24, 2026-12-31..2027-01-02"
    assert (made.parameters, made.catch_up, made.stop_after) == ({"what": "all", "reboot": True}, "soon", 3)
    assert oscar.post("/schedules/add", FILLED | {"name": "often", "every": "60", "jitter": ""}).status_code == 303
    assert "each 60 min" in oscar.get("/updates").text
    assert oscar.post("/schedules/nightly/remove").status_code == 303
    assert oscar.post("/schedules/often/remove").status_code == 303
    assert world.appliance.store.schedules.list() == []


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"days": "SOMEDAY"}, "does not say on which days"),
        ({"minutes": "long"}, "is not a number"),
        ({"every": "hour"}, "is not a number"),
        ({"every": "180"}, "before the window closes"),
        ({"minutes": "1441"}, "A window is 5 to 1440 minutes long"),
        ({"blackouts": "Christmas"}, "is neither a date"),
        ({"name": "A"}, "cannot name a schedule"),
        ({"subject": "nobody"}, "There is no instance"),
        ({"time_zone": "Mars/Base"}, "is not a time zone"),
    ],
)
def test_the_form_comes_back_with_what_is_wrong_and_what_was_typed(
    world: PanelWorld, oscar: Browser, wrong: dict[str, str], said: str
) -> None:
    answer = oscar.post("/schedules/add", FILLED | wrong)
    assert answer.status_code in (404, 422)
    assert said in answer.text
    assert [f'is-invalid" id="{field}"' in answer.text for field in wrong] == ["subject" not in wrong]
    assert 'value="02:00"' in answer.text
    assert world.appliance.store.schedules.list() == []


def test_the_page_shows_schedules_and_pauses_all(world: PanelWorld, oscar: Browser) -> None:
    world.program_of("Oscar").post("/api/v1/schedules", json=NIGHTLY)
    assert "SUN 02:00, 120 min, Europe/Berlin" in oscar.get("/updates").text
    assert oscar.post("/updates/pause", {"paused": "yes"}).status_code == 303
    assert "All are paused, by Oscar" in oscar.get("/updates").text
    oscar.post("/updates/pause", {"paused": "", "name": ""})
    assert "All are paused" not in oscar.get("/updates").text


def test_a_crm_and_a_host_are_patched_from_the_page(world: PanelWorld, oscar: Browser) -> None:
    assert oscar.post("/updates/patch", {"subject": "sales"}).headers["location"] == "/operations/1"
    assert oscar.post("/updates/patch", {"subject": "host:web1"}).headers["location"] == "/operations/2"
    assert [(one.kind, one.parameters) for one in world.operations()] == [
        ("host-patch", {"what": "security", "reboot": False}),
        ("patch", {"to": "2.7.13"}),
    ]
    busy = oscar.post("/updates/patch", {"subject": "sales"})
    assert (busy.status_code, "busy with operation 1" in busy.text) == (409, True)


def test_this_machines_packages_are_left_to_its_administrator(oscar: Browser) -> None:
    assert oscar.post("/updates/patch", {"subject": "host:localhost"}).status_code == 422


def test_all_are_paused_with_a_reason_and_for_a_while_and_everybody_sees_it(world: PanelWorld, oscar: Browser, victor: Browser) -> None:
    program = world.program_of("Oscar")
    answer = program.post("/api/v1/schedules/pause", json={"paused": True, "reason": "The <b>hall</b> moves", "length": "2d"}).json()
    assert (answer["pause"]["reason"], answer["pause"]["until"]) == ("The <b>hall</b> moves", "2026-03-04T12:00:00Z")
    for page in (oscar.get("/updates").text, victor.get("/").text):
        assert "The &lt;b&gt;hall&lt;/b&gt; moves" in page
        assert "in 2 days" in page
    (told,) = [one for one in program.get("/api/v1/attention").json() if one["subject"] == "schedules"]
    assert (told["severity"], told["text"]) == (
        "yellow",
        "All schedules are paused by Oscar (just now). The <b>hall</b> moves. They go on in 2 days.",
    )
    assert program.post("/api/v1/attention/snoozes", json={"key": told["key"]}).status_code == 204
    world.moment += timedelta(days=2)
    assert program.get("/api/v1/schedules").json()["pause"] is None
    assert "All schedules are paused" not in world.browser_of("Victor").get("/").text


def test_a_pause_without_an_end_is_worse(world: PanelWorld, oscar: Browser) -> None:
    oscar.post("/updates/pause", {"paused": "yes", "reason": "", "length": ""})
    attention = world.program_of("Oscar").get("/api/v1/attention").json()
    assert [one["severity"] for one in attention if one["subject"] == "schedules"] == ["orange"]


@pytest.mark.parametrize("fields", [{"length": "99d"}, {"length": "soon"}, {"length": "30s"}, {"reason": "x" * 500}])
def test_a_pause_that_cannot_be_is_refused_and_nothing_is_paused(world: PanelWorld, oscar: Browser, fields: dict[str, str]) -> None:
    answer = oscar.post("/updates/pause", {"paused": "yes"} | fields)
    assert (answer.status_code, "Nothing was changed" in answer.text) == (422, True)
    assert world.program_of("Oscar").post("/api/v1/schedules/pause", json={"paused": True} | fields).status_code == 422
    assert world.appliance.store.schedules.all_paused(NOON) is None


def test_the_calendar_shows_what_is_done_when(world: PanelWorld, oscar: Browser, victor: Browser) -> None:
    assert "Nothing is done by itself in these days." in victor.get("/schedules").text
    program = world.program_of("Oscar")
    for name, work in (("nightly", "backup"), ("weekly", "drill")):
        days = "MON-SUN" if work == "backup" else "SUN"
        opens = {"days": days, "begin": "02:00", "minutes": 60, "time_zone": "Europe/Tallinn"}
        assert program.post("/api/v1/schedules", json={"name": name, "subject": "sales", "work": work, "window": opens}).status_code == 201
    text = text_of(victor.get("/schedules").text)
    assert text.count("02:00 –03:00 Europe/Tallinn") == 14 + 2
    assert text.count("waits for nightly") == 2
    oscar.post("/updates/pause", {"paused": "yes", "length": "72h"})
    assert text_of(victor.get("/schedules").text).count("Paused") == 3
    assert "No window has this name." in victor.get("/schedules?q=nothing").text


def test_programs_have_the_calendar_by_whom_it_is_of_and_what_the_fleet_gets_in_the_way_of(world: PanelWorld) -> None:
    program = world.program_of("Oscar")
    asked = {"nightly": ("sales", "backup", "02:30"), "all": ("fleet:all", "patch", "02:30"), "held": ("sales", "check", "05:00")}
    for name, (subject, work, begin) in asked.items():
        opens = {"days": "SUN", "begin": begin, "minutes": 60}
        said = program.post("/api/v1/schedules", json={"name": name, "subject": subject, "work": work, "window": opens})
        assert said.status_code == 201, said.text
    assert program.post("/api/v1/schedules/held/pause", json={"paused": True}).status_code == 200
    (sales,) = [one for one in program.get("/api/v1/calendar").json() if one["subject"] == "sales"]
    assert [(run["schedule"], run["begins"], run["times"], run["waits_for"]) for run in sales["runs"]] == [
        ("nightly", f"2026-03-{day:02}T02:30:00Z", 1, "all") for day in (8, 15)
    ]
    first = program.get("/api/v1/calendar?limit=1")
    assert [one["subject"] for one in first.json()] == ["fleet:all"]
    assert program.get(first.links["next"]["url"]).json() == [sales]
