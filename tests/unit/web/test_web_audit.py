"""The audit in the panel and by the API."""

import json
import re
from datetime import timedelta

import pytest

from appliance.domain.audit import prove
from appliance.store.audit import AuditFilter
from tests.support.web_world import NOON, Browser, PanelWorld

HOSTILE = "<script>alert(1)</script>{{ 7*7 }}\u202e\x1b[2J"


def fill(world: PanelWorld, count: int) -> None:
    for number in range(count):
        moment = NOON + timedelta(minutes=number)
        world.appliance.store.access.audit(
            actor="Oscar", action="backup", subject=f"crm-{number % 2}", detail={"operation": number}, now=moment
        )


def numbers(text: str) -> list[int]:
    return [int(number) for number in re.findall(r'<small class="text-secondary" title="[0-9a-f]{64}">#(\d+)</small>', text)]


def test_entries_are_shown_a_page_at_a_time_and_by_filters(world: PanelWorld, alice: Browser) -> None:
    fill(world, 70)
    first = alice.get("/audit").text
    assert (numbers(first), "before=41" in first) == (list(range(70, 40, -1)), True)
    last = alice.get("/audit?before=11").text
    assert (numbers(last), ">Older<" in last, ">Newest<" in last) == (list(range(10, 0, -1)), False, True)
    narrowed = alice.get("/audit?subject=crm-0&since=2026-03-02+13:00&actor=Oscar&action=backup").text
    assert numbers(narrowed) == [69, 67, 65, 63, 61]
    assert "No entry matches these filters" in alice.get("/audit?actor=Nobody").text
    assert numbers(alice.get("/audit?before=none").text)[0] == 70


@pytest.mark.parametrize("address", ["/audit?since=yesterday", "/audit/export?since=9999999", "/audit/verification?head=xyz"])
def test_what_is_not_understood_is_said(alice: Browser, address: str) -> None:
    answer = alice.get(address)
    assert (answer.status_code, 'role="alert"' in answer.text) == (422, True)


def test_hostile_text_is_inert(world: PanelWorld, alice: Browser) -> None:
    world.appliance.store.access.audit(actor=HOSTILE, action=HOSTILE, subject=HOSTILE, detail={HOSTILE: HOSTILE}, now=NOON)
    for page in (
        alice.get("/audit").text,
        alice.get(
            "/audit",
        ).text,
        alice.get("/audit?actor=%3Cscript%3Ealert(1)").text,
    ):
        assert "<script>alert" not in page
        assert not {"\u202e", "\x1b"} & set(page)
    assert alice.get("/audit").text.count("{{ 7*7 }}") == 5


def test_a_refused_log_in_with_a_hostile_name_is_shown_inert(alice: Browser, mallory: Browser) -> None:
    token = re.findall(r'name="csrf" value="([^"]+)"', mallory.get("/login").text)[0]
    mallory.client.post("/login", data={"csrf": token, "name": HOSTILE, "password": "x"})
    page = alice.get("/audit").text
    assert ("log in refused" in page, "<script>alert" in page) == (True, False)


def test_it_is_verified_in_the_panel(world: PanelWorld, alice: Browser) -> None:
    fill(world, 3)
    head = world.appliance.store.audit.head().hash
    assert "The audit is whole: 3 entries" in alice.get(f"/audit/verification?head={head}").text
    assert "The audit is not whole. No entry has the hash" in alice.get(f"/audit/verification?head={'a' * 64}").text


def test_what_is_exported_is_whole_and_its_export_is_an_entry(world: PanelWorld, alice: Browser) -> None:
    fill(world, 3)
    for answer in (alice.get("/audit/export"), world.program_of("Alice").get("/api/v1/audit/export")):
        assert answer.headers["content-type"].startswith("application/x-ndjson")
        entries = [json.loads(line) for line in answer.text.splitlines()]
        assert (prove(entries).problem, entries[-1]["action"], entries[-1]["actor"]) == ("", "export audit", "Alice")
    assert len(alice.get("/audit/export?subject=crm-1").text.splitlines()) == 1
    assert len(world.appliance.store.audit.list(AuditFilter(action="export audit"))) == 3


def test_programs_list_it_a_page_at_a_time(world: PanelWorld) -> None:
    fill(world, 5)
    program = world.program_of("Alice")
    first = program.get("/api/v1/audit?limit=3&actor=Oscar").json()
    assert ([entry["number"] for entry in first["entries"]], first["next"] is None) == ([5, 4, 3], False)
    rest = program.get(f"/api/v1/audit?limit=3&actor=Oscar&cursor={first['next']}").json()
    assert ([entry["number"] for entry in rest["entries"]], rest["next"]) == ([2, 1], None)
    assert rest["head"] == world.appliance.store.audit.head().hash
    late = program.get("/api/v1/audit", params={"since": "2026-03-02T12:04:00Z", "subject": "crm-0", "action": "backup"}).json()
    assert [entry["number"] for entry in late["entries"]] == [5]
    assert program.get("/api/v1/audit?since=2026-03-02T12:04:00").status_code == 422
    assert program.get("/api/v1/audit?limit=201").status_code == 422


def test_programs_verify_it(world: PanelWorld) -> None:
    fill(world, 2)
    program, head = world.program_of("Alice"), world.appliance.store.audit.head().hash
    assert program.get(f"/api/v1/audit/verification?head={head}").json() == {"entries": 3, "head": head, "problem": ""}
    assert "No entry has the hash" in program.get(f"/api/v1/audit/verification?head={'b' * 64}").json()["problem"]
    assert program.get("/api/v1/audit/verification?head=none").status_code == 422
