"""The weekly digest: what it says, and that real mail and web servers get it once a week, however often the monitor is restarted."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from appliance.domain.adoption import answered
from appliance.domain.channel import Purpose
from appliance.domain.pending import Pending, PendingPackage
from appliance.operations.channels import add_channel
from appliance.operations.digest import digest_of
from appliance.operations.notifying import Notifying
from monitoring.ledger import State
from tests.support.receivers import Hook, mail_server, web_server
from tests.support.seen_states import each_quarter_minute, write_states
from tests.support.web_world import NOON, PanelWorld, add_sales, make_world

MONDAY_AT_SEVEN = datetime(2026, 3, 9, 7, tzinfo=UTC)
"""The first one after the moment that the world begins at, which is a Monday's noon."""


@pytest.fixture
def world(tmp_path: Path) -> PanelWorld:
    made = make_world(tmp_path)
    states = each_quarter_minute(NOON, State.UP, State.UP, State.UP, State.DOWN, State.UP)
    write_states(made.appliance.settings.ledger_file, "sales", states, reason="x")
    return made


@pytest.fixture
def hook() -> Iterator[Hook]:
    with web_server() as made:
        yield made


def subscribe(world: PanelWorld, url: str, **chosen: Any) -> None:
    add_channel(world.appliance, name="boss", url=url, requested_by="Alice", now=world.moment, **{"weekly": True, **chosen})


def look(world: PanelWorld, at: datetime) -> None:
    world.moment = at
    Notifying(appliance=world.appliance, now=lambda: world.moment).look()


def use(world: PanelWorld) -> None:
    active: list[list[Any]] = [[NOON.date().isoformat(), "Field sales", 3], [None, "Support", 0]]
    rows: dict[str, list[list[Any]]] = {
        "records": [[1200]],
        "untouched": [[799]],
        "newest_change": [[NOON.isoformat()]],
        "active_users": active,
    }
    world.appliance.store.adoption.put(answered("sales", rows, before=None, now=NOON))


def test_it_says_how_a_crm_served_what_could_be_brought_back_and_what_waits(world: PanelWorld) -> None:
    use(world)
    packages = tuple(PendingPackage(name=f"p{n}", installed="1", candidate="2", origin="Debian", security=n < 2) for n in range(3))
    world.appliance.store.pending.put(Pending(subject="host:web1", asked_at=NOON, packages=packages, reboot_required=True))
    message = digest_of(world.appliance, NOON)
    assert message.title == "[weekly] 1 CRM until 2026-03-02: nothing alerts now"
    assert "Uptime: 75.000 % as far as it was seen, 75.000 % at least; 100 % of the time was seen" in message.body
    assert "Outages: 1, 15 s together: 2026-03-02 11:59 UTC for 15 s" in message.body
    assert "Backups: 2, the newest of" in message.body
    assert "Last proven restore: 2026-" in message.body
    assert "Pending: not asked yet" in message.body
    assert "Adoption: 1,200 records, 66 % untouched for 90 days" in message.body
    assert "Field sales: up to 3 a day; Support: nobody this week" in message.body
    assert "host web1: 3 packages, 2 of them security; reboot required" in message.body


def test_what_is_not_known_is_said(world: PanelWorld) -> None:
    world.appliance.settings.ledger_file.write_text("no ledger any more")
    add_sales(world.appliance, name="support", slot=1)
    world.appliance.store.points.forget([point.id for point in world.appliance.store.points.all()])
    body = digest_of(world.appliance, NOON, crms=("support",)).body
    assert "Uptime: not known" in body
    assert "Last proven restore: never" in body
    assert "sales" not in body.replace("support", "")


def test_a_mail_comes_once_a_week_and_over_restarts(world: PanelWorld) -> None:
    with mail_server() as (url, mailbox):
        subscribe(world, url)
        for minutes in (-1, 0, 1, 60 * 24 * 6):
            look(world, MONDAY_AT_SEVEN + timedelta(minutes=minutes))
        assert [str(mail["subject"]) for mail in mailbox.mails] == ["[weekly] 1 CRM until 2026-03-09: nothing alerts now"]
        look(world, MONDAY_AT_SEVEN + timedelta(days=8))
    assert len(mailbox.mails) == 2
    assert "- Last proven restore" in mailbox.texts()[0]


def test_one_that_could_not_be_sent_is_tried_again(world: PanelWorld, hook: Hook) -> None:
    subscribe(world, f"json://{hook.address}/")
    hook.status = 500
    look(world, MONDAY_AT_SEVEN)
    look(world, MONDAY_AT_SEVEN + timedelta(seconds=5))
    assert len(hook.requests) == 1
    hook.status = 200
    look(world, MONDAY_AT_SEVEN + timedelta(minutes=1))
    look(world, MONDAY_AT_SEVEN + timedelta(minutes=2))
    assert len(hook.requests) == 2
    assert world.appliance.store.channels.get("boss").weekly_at == MONDAY_AT_SEVEN + timedelta(minutes=1)


def test_its_hour_is_that_of_the_channels_time_zone_and_it_waits_for_the_end_of_quiet_hours(world: PanelWorld, hook: Hook) -> None:
    subscribe(world, f"json://{hook.address}/", quiet="22:00-08:30", zone="Europe/Berlin")
    for hour, minute, arrived in ((6, 30, 0), (7, 29, 0), (7, 31, 1)):  # 08:30 in Berlin is 07:30 UTC
        look(world, MONDAY_AT_SEVEN.replace(hour=hour, minute=minute))
        assert len(hook.requests) == arrived


def test_nobody_gets_it_who_has_not_asked_for_it(world: PanelWorld, hook: Hook) -> None:
    subscribe(world, f"json://{hook.address}/", weekly=False)
    add_channel(
        world.appliance,
        name="outside",
        url=f"http://{hook.address}/beat",
        purpose=Purpose.HEARTBEAT,
        weekly=True,
        requested_by="A",
        now=NOON,
    )
    look(world, MONDAY_AT_SEVEN)
    assert hook.requests == []
    assert world.appliance.store.channels.get("outside").weekly is False
