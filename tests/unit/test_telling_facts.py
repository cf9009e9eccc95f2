"""What the monitor is told of the hosts: what waits there, and up to when every change was shipped."""

from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from appliance.domain.instance import Archive
from appliance.domain.pending import Pending, PendingPackage
from appliance.errors import HostUnreachable
from appliance.hosts.reach import Local
from appliance.operations.asking import UPDATES_EVERY, Asking
from appliance.operations.telling_facts import tell_shipped, tell_updates
from backup.spool import NewestBase, Spool
from backup.wal import SEGMENT_BYTES, Received
from monitoring.facts import LOG_REPLAYED, LOG_SHIPPED, REBOOT_SINCE, SECURITY_SINCE, UPDATES, Facts
from monitoring.ledger import Ledger
from tests.support.web_world import NOON, PanelWorld, make_world


@pytest.fixture
def world(tmp_path: Path) -> PanelWorld:
    return make_world(tmp_path)


def facts_of(world: PanelWorld) -> Facts:
    with Ledger(world.appliance.settings.ledger_file) as ledger:
        return ledger.facts()


def answer(world: PanelWorld, hours: int, *, security: int = 0, reboot: bool = False, problems: tuple[str, ...] = ()) -> Facts:
    packages = tuple(PendingPackage(name=f"p{n}", installed="1", candidate="2", origin="Debian", security=n < security) for n in range(3))
    told = () if problems else packages
    asked_at = NOON + timedelta(hours=hours)
    world.appliance.store.pending.put(
        Pending(subject="host:web1", asked_at=asked_at, packages=told, reboot_required=reboot, problems=problems)
    )
    tell_updates(world.appliance)
    return facts_of(world)


def test_what_waits_has_waited_since_it_was_seen_first(world: PanelWorld) -> None:
    host, first = ("web1", ""), NOON.timestamp()
    facts = answer(world, 0, security=2)
    assert facts[UPDATES] == {("web1", "security"): 2, ("web1", "other"): 1}
    assert (facts[SECURITY_SINCE][host], facts[REBOOT_SINCE][host]) == (first, 0)
    facts = answer(world, 5, security=1, reboot=True)
    assert (facts[SECURITY_SINCE][host], facts[REBOOT_SINCE][host]) == (first, first + 5 * 3600)
    facts = answer(world, 6)
    assert (facts[SECURITY_SINCE][host], facts[REBOOT_SINCE][host]) == (0, 0)


def test_a_host_that_cannot_be_asked_keeps_what_was_known_of_it(world: PanelWorld) -> None:
    known = answer(world, 0, security=2, reboot=True)
    assert answer(world, 5, problems=("web1 is not reached",)) == known


def archived(world: PanelWorld, spool: Path) -> None:
    archive = Archive(deployment="0001-1", spool=str(spool), database={}, relays={"offsite": NOON.isoformat()})
    world.appliance.store.instances.archive("sales", archive)


def test_what_was_shipped_is_told_by_repository(world: PanelWorld, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    spool = Spool(directory=tmp_path / "spool")
    spool.make()
    archived(world, spool.directory)
    tell_shipped(world.appliance)
    assert facts_of(world)[LOG_SHIPPED] == {("sales", "local"): 0, ("sales", "offsite"): 0}
    spool.note_shipped(Received(lsn="0/2000050", at=NOON))
    replace(spool, outlet="log-offsite").note_shipped(Received(lsn="0/2000050", at=NOON - timedelta(hours=1)))
    tell_shipped(world.appliance)
    shipped = {("sales", "local"): NOON.timestamp(), ("sales", "offsite"): NOON.timestamp() - 3600}
    assert facts_of(world)[LOG_SHIPPED] == shipped
    with monkeypatch.context() as away:
        away.setattr(Local, "judge", refuse)
        tell_shipped(world.appliance)
    assert facts_of(world)[LOG_SHIPPED] == shipped
    world.appliance.store.instances.archive("sales", None)
    tell_shipped(world.appliance)
    assert LOG_SHIPPED not in facts_of(world)


def test_how_much_would_be_replayed_is_told_since_the_newest_base(world: PanelWorld, tmp_path: Path) -> None:
    spool = Spool(directory=tmp_path / "spool")
    spool.make()
    archived(world, spool.directory)
    spool.note_shipped(Received(lsn="1/3000050", at=NOON))
    tell_shipped(world.appliance)
    assert facts_of(world)[LOG_REPLAYED] == {("sales", ""): 0}, "without a base there is nothing to replay onto"
    spool.note_base(NewestBase(segment="000000010000000100000001", received=Received(lsn="1/1", at=NOON)))
    tell_shipped(world.appliance)
    assert facts_of(world)[LOG_REPLAYED] == {("sales", ""): 2 * SEGMENT_BYTES + 0x50}


def refuse(*_: object) -> None:
    raise HostUnreachable("it is away")


def test_a_host_is_asked_once_a_day_and_not_on_its_first(world: PanelWorld, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[str] = []
    monkeypatch.setattr("appliance.operations.asking.look", lambda _, hosts, **__: asked.extend(hosts))
    created = world.appliance.store.hosts.get("web1").created_at
    later = created + UPDATES_EVERY + timedelta(hours=1)
    counts = []
    for now in (created + timedelta(hours=1), later, later):
        Asking(appliance=world.appliance, now=lambda now=now: now).look()  # type: ignore[misc]
        counts.append(asked.count("host:web1"))
        if "host:web1" in asked:
            world.appliance.store.pending.put(Pending(subject="host:web1", asked_at=now))
    assert counts == [0, 1, 1]
