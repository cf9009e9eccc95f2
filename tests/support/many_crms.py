"""An appliance that has looked after many CRMs for a long time: rows as the appliance writes them itself, but all at once.

Each CRM leaves behind what a CRM leaves behind: nightly backups, weekly drills, patches and an upgrade with their steps and logs, who asked
for them in the audit, recovery points with their records, a schedule, what is pending, and how much people work with it.
"""

import hashlib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from itertools import chain, islice
from typing import Any

from pydantic import TypeAdapter
from sqlalchemy import Connection, insert

from appliance.domain.adoption import Adoption
from appliance.domain.audit import BEGINNING, hash_of
from appliance.domain.host import Host, HostState
from appliance.domain.instance import InstanceState
from appliance.domain.operation import OperationStatus, StepStatus
from appliance.domain.pending import Advisory, Pending, PendingPackage, PendingRelease, Way
from appliance.domain.repository import Repository
from appliance.domain.window import Window
from appliance.operations.workflows import WORKFLOWS
from appliance.store.columns import moment_text
from appliance.store.models import (
    AdoptionRow,
    AuditRow,
    Base,
    InstanceRow,
    LogRow,
    OperationRow,
    PendingRow,
    PointRow,
    ScheduleRow,
    StepRow,
)
from appliance.wiring import Appliance
from tests.support.web_world import FACTS, HOST_KEY, deployment

BATCH = 10_000
DAY = timedelta(days=1)
HOSTS, USERS = 20, 12
POINTS_KEPT = 20
GONE, REPOSITORY = "crm-gone", "offsite"
"""A CRM that was removed and has its recovery points still; a repository elsewhere."""
LONGEST_LOG_SHARE = 50
"""One of so many lines of all logs belongs to the operation that runs at the end."""
TABLES = ("contacts", "organisations", "invoices", "quotes", "activities", "documents", "opportunities", "users")
Row = dict[str, Any]


@dataclass(frozen=True, kw_only=True)
class Fleet:
    """How much there is. The last operation is an upgrade that still runs, and has a long log."""

    crms: int = 1_000
    operations: int = 100_000
    log_lines: int = 1_000_000

    @property
    def names(self) -> list[str]:
        """Of the CRMs."""
        return [f"crm-{number:04}" for number in range(self.crms)]

    @property
    def running(self) -> int:
        """The operation that runs at the end."""
        return self.operations


def fill_store(appliance: Appliance, fleet: Fleet, now: datetime) -> None:
    """Write it all; the store has to be new but for its users."""
    for number in range(HOSTS):
        host = Host(
            name=f"host-{number:02}",
            address=f"192.0.2.{number + 1}",
            port=22,
            user="admin",
            state=HostState.READY,
            created_at=now - 200 * DAY,
        )
        appliance.store.hosts.add(Host(**{**vars(host), "host_key": HOST_KEY, "facts": FACTS, "seen_at": now}))
    repository = Repository(name=REPOSITORY, location="rest:https://nas.example.org:8000/crm/", created_at=now - 200 * DAY)
    appliance.store.repositories.add(repository, by="Alice")
    with appliance.store.database.engine.connect() as connection:
        connection.exec_driver_sql("COMMIT")
        connection.exec_driver_sql("PRAGMA synchronous = OFF")  # it is made once, and thrown away if the machine stops
        connection.exec_driver_sql("BEGIN IMMEDIATE")
        _write(connection, InstanceRow, _instances(appliance, fleet, now))
        _write(connection, OperationRow, _operations(fleet, now))
        _write(connection, StepRow, _steps(fleet, now))
        _write(connection, LogRow, _log_lines(fleet, now))
        _write(connection, PointRow, _points(fleet, now))
        _write(connection, AuditRow, _audit(connection, fleet, now))
        _write(connection, ScheduleRow, _schedules(fleet, now))
        _write(connection, PendingRow, _pending(fleet, now))
        _write(connection, AdoptionRow, _adoption(fleet, now))
        connection.commit()
        connection.exec_driver_sql("ROLLBACK")
        connection.exec_driver_sql("PRAGMA wal_checkpoint(TRUNCATE)")
        connection.exec_driver_sql("BEGIN")


def _write(connection: Connection, table: type[Base], rows: Iterable[Row]) -> None:
    every = iter(rows)
    while batch := list(islice(every, BATCH)):
        connection.execute(insert(table), batch)


def host_of(number: int) -> str:
    """Every fifth CRM is on this machine, the others on hosts."""
    return "localhost" if number % 5 == 0 else f"host-{number % HOSTS:02}"


def _instances(appliance: Appliance, fleet: Fleet, now: datetime) -> Iterator[Row]:
    product = appliance.catalogue.list()[0].definition
    for number, name in enumerate(fleet.names):
        yield {
            **dict.fromkeys(("archive", "rpo_seconds", "rto_seconds", "availability_ratio", "latency_seconds", "latency_ratio")),
            "name": name,
            "host": host_of(number),
            "product": product.id,
            "release": "2.7.13",
            "series": "2.7",
            "state": InstanceState.ACTIVE,
            "slot": number,
            "address": "127.0.0.1",
            "port": 8480 + number,
            "domain": f"{name}.example.org",
            "tls": {"mode": "none"},
            "settings": {"language": "en"},
            "deployment": deployment("2.7.13", "2.7").as_variables(),
            "previous": deployment("2.7.12", "2.7").as_variables(),
            "created_at": now - 120 * DAY,
            "is_public": number % 20 == 0,
        }


@dataclass(frozen=True, kw_only=True)
class Past:
    """One operation of the past; the nth of its CRM."""

    id: int
    kind: str
    instance: str
    at: datetime
    status: OperationStatus

    @property
    def ended_at(self) -> datetime | None:
        """None while it runs."""
        return self.at + timedelta(minutes=4) if self.status.is_final else None


def past(fleet: Fleet, now: datetime) -> Iterator[Past]:
    """Every operation, oldest first: each night one of each CRM."""
    nights = -(-fleet.operations // fleet.crms)
    for number in range(fleet.operations):
        night, crm = divmod(number, fleet.crms)
        kind = "upgrade" if night == nights // 2 else "patch" if night % 30 == 10 else "drill" if night % 7 == 5 else "backup"
        status = OperationStatus.FAILED if (number * 7919) % 97 == 0 else OperationStatus.SUCCEEDED
        if number == fleet.operations - 1:
            kind, status = "upgrade", OperationStatus.RUNNING
        at = now - (nights - night) * DAY + timedelta(hours=20, seconds=10 * crm)
        yield Past(id=number + 1, kind=kind, instance=f"crm-{crm:04}", at=min(at, now - timedelta(minutes=1)), status=status)


def _operations(fleet: Fleet, now: datetime) -> Iterator[Row]:
    for one in past(fleet, now):
        failed = one.status is OperationStatus.FAILED
        facts = {"rto_seconds": 40.0 + one.id % 9, "data_age_seconds": 3600.0}
        yield {
            "id": one.id,
            "kind": one.kind,
            "instance": one.instance,
            "parameters": {"to": "2.7.13"}
            if one.kind == "upgrade"
            else {"keep": {"daily": 7, "weekly": 4}}
            if one.kind == "backup"
            else {},
            "status": one.status,
            "direction": "forward",
            "requested_by": f"schedule nightly-{one.instance}",
            "requested_at": one.at,
            "started_at": one.at,
            "finished_at": one.ended_at,
            "cause": "The repository was not reached: connection refused. Nothing was changed." if failed else None,
            "refused": False,
            "next_action": "Look whether the repository's server runs, then try again." if failed else None,
            "cancel_requested": False,
            "cancelled": False,
            "memory": {"facts": facts} if one.kind == "drill" else {"point": _point_id(one)},
            "outcome": {"point": _point_id(one)} if one.kind == "backup" else {},
            "awaits_approval": False,
            "approved_by": None,
        }


def _steps(fleet: Fleet, now: datetime) -> Iterator[Row]:
    for one in past(fleet, now):
        for position, step in enumerate(WORKFLOWS[one.kind].steps):
            status = StepStatus.SUCCEEDED if one.status.is_final else StepStatus.RUNNING if position == 0 else StepStatus.PENDING
            if one.status is OperationStatus.FAILED:
                status = StepStatus.FAILED if position == 0 else StepStatus.SKIPPED
            begun = status not in (StepStatus.PENDING, StepStatus.SKIPPED)
            yield {
                "operation_id": one.id,
                "name": step.name,
                "position": position,
                "title": step.title,
                "status": status,
                "percent": 100 if status is StepStatus.SUCCEEDED else 0,
                "started_at": one.at if begun else None,
                "finished_at": one.ended_at if begun else None,
                "detail": "connection refused" if status is StepStatus.FAILED else None,
            }


def _log_lines(fleet: Fleet, now: datetime) -> Iterator[Row]:
    long_log = fleet.log_lines // LONGEST_LOG_SHARE
    each, more = divmod(fleet.log_lines - long_log, fleet.operations)
    for one in past(fleet, now):
        count = each + (one.id <= more) + (long_log if one.id == fleet.running else 0)
        first = WORKFLOWS[one.kind].steps[0].name
        for number in range(count):
            text = f"TASK [release : Build the release of {one.instance}] ok: changed=0 ({number + 1} of {count})"
            yield {"operation_id": one.id, "at": one.at, "step": first, "text": text}


def _point_id(backup: Past) -> str:
    return hashlib.sha256(f"{backup.instance} {backup.id}".encode()).hexdigest()


def _points(fleet: Fleet, now: datetime) -> Iterator[Row]:
    """The newest of each CRM; some of them proven by a drill."""
    kept: dict[str, int] = {}
    for one in reversed([one for one in past(fleet, now) if one.kind == "backup" and one.status is OperationStatus.SUCCEEDED]):
        kept[one.instance] = kept.get(one.instance, 0) + 1
        if kept[one.instance] > POINTS_KEPT:
            continue
        proven = kept[one.instance] % 6 == 3
        yield _point(one, proven=proven)
    yield from (_point(replace(one, instance=GONE), proven=False) for one in islice(past(fleet, now), 3))


def _point(one: Past, *, proven: bool) -> Row:
    """A recovery point of that backup."""
    return {
        "id": _point_id(one),
        "instance": one.instance,
        "at": one.at,
        "repository": "local",
        "record": _record(one),
        "proven_at": one.at + DAY if proven else None,
        "proof": {"counts": dict.fromkeys(TABLES, 1200), "rto_seconds": 43.0} if proven else None,
    }


def _record(backup: Past) -> Row:
    """As the program that takes backups keeps it."""
    queries = {table: f"SELECT count(*) FROM {table}" for table in TABLES}  # noqa: S608 - the tables above
    return {
        "id": _point_id(backup),
        "crm": backup.instance,
        "at": moment_text(backup.at),
        "product": "creme",
        "release": "2.7.13",
        "deployment": "0001-2.7.13",
        "engine": "postgresql",
        "snapshots": {"database": _point_id(backup), "files": _point_id(backup)},
        "paths": ["/srv/crm/files"],
        "counts": dict.fromkeys(TABLES, 1200 + backup.id % 500),
        "checksums": dict.fromkeys(TABLES, "5d41402abc4b2a76b9719d911017c592"),
        "queries": {"counts": queries, "checksums": queries},
        "sizes": {"database": 2_000_000_000, "files": 1_000_000_000},
        "bytes_added": 4_000_000 + backup.id % 1_000_000,
        "bytes_processed": 3_000_000_000,
        "duration_seconds": 33.4,
        "restic_version": "0.18.1",
        "warnings": [],
    }


def _audit(connection: Connection, fleet: Fleet, now: datetime) -> Iterator[Row]:
    """Who requested each operation, chained as the appliance chains it; what was written already comes first."""
    newest = connection.exec_driver_sql("SELECT id, hash FROM audit ORDER BY id DESC LIMIT 1").first()
    number, previous = (0, BEGINNING) if newest is None else (newest.id, newest.hash)
    for one in past(fleet, now):
        number += 1
        said: Row = {
            "actor": f"schedule nightly-{one.instance}",
            "action": one.kind,
            "subject": one.instance,
            "detail": {"operation": one.id},
        }
        hashed = hash_of({**said, "number": number, "at": moment_text(one.at), "previous": previous})
        yield {**said, "id": number, "at": one.at, "previous": previous, "hash": hashed}
        previous = hashed


def _schedules(fleet: Fleet, now: datetime) -> Iterator[Row]:
    window = TypeAdapter(Window).dump_python(Window(days="MON-SUN", begin="01:00", length=timedelta(hours=2)), mode="json")
    for name in fleet.names:
        yield {
            "name": f"nightly-{name}",
            "subject": name,
            "kind": "backup",
            "parameters": {"keep": {"daily": 7, "weekly": 4}},
            "window": window,
            "catch_up": "next-window",
            "stop_after": 2,
            "paused": False,
            "created_at": now - 120 * DAY,
            "dealt_with": now - DAY,
            "counted_from": now - 120 * DAY,
            "note": "requested",
            "noted_at": now - DAY,
            "operation": 1,
        }


def _pending(fleet: Fleet, now: datetime) -> Iterator[Row]:
    release = PendingRelease(version="2.8.6", way=Way.UPGRADE, installable=True, published_at=now - 30 * DAY)
    advisory = Advisory(id="PYSEC-2026-1", package="django", version="4.2.1", summary="A denial of service", fixed_in=("4.2.2",))
    packages = tuple(
        PendingPackage(name=f"lib{n}", installed="1.0-1", candidate="1.0-2", origin="Debian", security=n < 3) for n in range(9)
    )
    crms = (Pending(subject=name, asked_at=now, installed="2.7.13", releases=(release,), advisories=(advisory,)) for name in fleet.names)
    hosts = (Pending(subject=f"host:host-{number:02}", asked_at=now, packages=packages, reboot_required=False) for number in range(HOSTS))
    for one in chain(crms, hosts):
        yield {"subject": one.subject, "asked_at": now, "answer": TypeAdapter(Pending).dump_python(one, mode="json")}


def _adoption(fleet: Fleet, now: datetime) -> Iterator[Row]:
    days: Mapping[date, Mapping[str, int]] = {(now - ago * DAY).date(): {"Sales": 4 + ago % 3, "Support": 2} for ago in range(90)}
    for name in fleet.names:
        told = Adoption(
            instance=name,
            tried_at=now,
            asked_at=now,
            records=12_000,
            untouched=300,
            newest_change=now,
            departments=("Sales", "Support"),
            days=days,
        )
        yield {"instance": name, "tried_at": now, "answer": TypeAdapter(Adoption).dump_python(told, mode="json")}
