"""Alerts and notifications, for people and for programs."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from monitoring.rules.memory import RuleMemory
from monitoring.rules.standing import Alert, Change, Stand
from tests.support.receivers import web_server
from tests.support.web_world import NOON, Browser, PanelWorld

ADDRESS = "json://user:no-secret-of-anybody@127.0.0.1:1/"
WANTED = {"name": "ops", "purpose": "alerts", "url": ADDRESS, "critical": "yes", "quiet": "22:00-06:30", "zone": "Europe/Berlin"}


@pytest.fixture(autouse=True)
def ledger(world: PanelWorld) -> Iterator[Path]:
    """None yet, and none for the next test: the world is shared, and so is what others left there."""
    file: Path = world.appliance.settings.ledger_file
    file.parent.mkdir(parents=True, exist_ok=True)
    forget(file)
    yield file
    forget(file)


def forget(file: Path) -> None:
    for name in (file.name, f"{file.name}-wal", f"{file.name}-shm"):
        file.with_name(name).unlink(missing_ok=True)


def fire(world: PanelWorld) -> None:
    memory, at = RuleMemory(world.appliance.settings.ledger_file), NOON.timestamp()
    labels = (("crm", "sales"),)
    alert = Alert(rule="CrmDown", labels=labels, stand=Stand.FIRING, since_ms=0, since=at, value=0)
    over = Alert(rule="BackupFailed", labels=labels, stand=Stand.FIRING, since_ms=0, since=at, value=1)
    watchdog = Alert(rule="Watchdog", labels=(), stand=Stand.FIRING, since_ms=0, since=at, value=1)
    memory.write([alert, watchdog], [Change(alert=alert, fires=True), Change(alert=over, fires=False)], at=at)
    memory.close()


def test_what_fires_is_shown_with_what_to_do_and_what_is_over_below(world: PanelWorld, victor: Browser) -> None:
    assert "Does the monitor run?" in victor.get("/alerts").text
    fire(world)
    page = victor.get("/alerts").text
    assert "Does the monitor run?" not in page
    now, _, of_late = page.partition('id="of-late"')
    assert "sales is down" in now
    assert "docs/runbooks/alerts.md#crmdown" in now
    assert "The last backup of sales failed" in of_late
    assert "Alerts get through" not in page


def test_an_administrator_adds_a_channel_and_its_address_is_shown_nowhere(world: PanelWorld, alice: Browser) -> None:
    assert "Nobody is notified" in alice.get("/alerts").text
    assert alice.post("/alerts/add-channel", WANTED).headers["Location"] == "/alerts"
    page = alice.get("/alerts").text
    assert "JSON" in page
    assert "warnings wait 22:00-06:30 Europe/Berlin" in page
    assert "no-secret-of-anybody" not in page
    refused = alice.post("/alerts/channels/ops/test")
    assert (refused.status_code, "did not get through" in refused.text, "no-secret" in refused.text) == (502, True, False)
    assert alice.post("/alerts/channels/ops/remove").status_code == 303
    assert world.appliance.store.channels.list() == []


@pytest.mark.parametrize(
    ("field", "value", "said"),
    [
        ("name", "Ops!", "cannot name a channel"),
        ("url", "nonsense://x", "no address that can be notified"),
        ("quiet", "late", "are no hours"),
        ("zone", "Mars/Base", "is no time zone"),
        ("crm", "other", "There is no CRM"),
    ],
)
def test_what_cannot_be_is_said_and_nothing_is_added(world: PanelWorld, alice: Browser, field: str, value: str, said: str) -> None:
    refused = alice.post("/alerts/add-channel", WANTED | {field: value})
    assert (refused.status_code, said in refused.text) == (422, True)
    assert "no-secret-of-anybody" not in refused.text
    assert world.appliance.store.channels.list() == []


def test_a_ledger_that_cannot_be_read_keeps_nobody_from_adding_a_channel(world: PanelWorld, alice: Browser, ledger: Path) -> None:
    ledger.write_bytes(b"no ledger" * 999)
    assert "Does the monitor run?" in alice.get("/alerts").text
    assert alice.post("/alerts/add-channel", WANTED).status_code == 303
    assert world.appliance.store.channels.get("ops").told == {"critical": 0, "warning": 0}


def test_a_program_does_the_same(world: PanelWorld) -> None:
    fire(world)
    program = world.program_of("Alice")
    assert [alert["rule"] for alert in program.get("/api/v1/alerts").json()["standing"]] == ["CrmDown"]
    with web_server() as hook:
        wanted = {"name": "ops", "url": f"json://{hook.address}/", "severities": ["critical"], "instances": ["sales"]}
        added = program.post("/api/v1/notifications", json=wanted)
        assert (added.status_code, added.json()["instances"], "url" in added.json()) == (201, ["sales"], False)
        assert program.post("/api/v1/notifications/ops/test").status_code == 204
        assert hook.titles() == ["[test] The appliance can notify you here"]
    assert program.post("/api/v1/notifications", json=wanted).status_code == 422
    assert program.delete("/api/v1/notifications/ops").status_code == 204
    assert program.get("/api/v1/notifications").json() == []
