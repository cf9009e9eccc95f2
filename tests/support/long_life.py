"""An appliance as it is after a long life: outages, slow days, nightly points and drills, and people who change records."""

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Any

from appliance.domain.adoption import answered
from appliance.domain.instance import RecoveryPoint
from appliance.domain.objectives import Objectives
from appliance.domain.operation import OperationStatus
from appliance.domain.schedule import Schedule
from appliance.domain.window import Window
from appliance.wiring import Appliance
from monitoring.ledger import State
from monitoring.rules.memory import RuleMemory
from monitoring.rules.standing import Alert, Change, Stand
from tests.support.seen_states import Checked, write_states
from tests.support.web_world import end_operation, run_operation

DAY = timedelta(days=1)
LIFE = [
    (100, State.UP),
    (40, State.DOWN),
    (40 - 1 / 24, State.UP),
    (20, State.MAINTENANCE),
    (19.9, State.UP),
    (0.02, State.DOWN),
    (0.01, State.UP),
]
"""How many days ago each state began."""


def three_months(appliance: Appliance, now: datetime, checks: Iterable[Checked] = ()) -> None:
    states = [(now - days_ago * DAY, state) for days_ago, state in [*LIFE, (0, State.UP)]]
    write_states(appliance.settings.ledger_file, "sales", states, believed=100 * DAY, reason="answered 502 instead of 200", checks=checks)


def a_month_of_probes(now: datetime) -> list[Checked]:
    """Pages come ever more slowly, and were slow for two days; somebody logs in each hour."""
    return [
        (now - hour * DAY / 24, probe, seconds * (1 + (hour % 24) / 40) * (6 if 200 < hour < 248 else 1))
        for hour in reversed(range(24 * 30))
        for probe, seconds in (("ready", 0.5 - hour / 3000), ("deep", 1.1))
    ]


def a_month_of_work(appliance: Appliance, now: datetime) -> None:
    """Field sales stopped twelve days ago."""
    work = [[(now - ago * DAY).date().isoformat(), "Support", 1 + ago % 3] for ago in range(28)]
    work += [[(now - ago * DAY).date().isoformat(), "Field sales", 6] for ago in range(12, 28)]
    rows: dict[str, list[list[Any]]] = {
        "records": [[1234]],
        "untouched": [[70]],
        "newest_change": [[now.isoformat()]],
        "active_users": [*work, [None, "Board", 0]],
    }
    appliance.store.adoption.put(answered("sales", rows, before=None, now=now))
    labels = (("crm", "sales"), ("department", "Field sales"))
    alert = Alert(rule="DepartmentStoppedUpdating", labels=labels, stand=Stand.FIRING, since_ms=0, since=now.timestamp(), value=1)
    memory = RuleMemory(appliance.settings.ledger_file)
    memory.write([alert], [], at=now.timestamp())
    memory.close()


def fire(appliance: Appliance, now: datetime) -> None:
    """The CRM is down, and its last backup failed until a moment ago."""
    appliance.settings.ledger_file.parent.mkdir(parents=True, exist_ok=True)
    memory, since, labels = RuleMemory(appliance.settings.ledger_file), (now - timedelta(minutes=7)).timestamp(), (("crm", "sales"),)
    down = Alert(rule="CrmDown", labels=labels, stand=Stand.FIRING, since_ms=0, since=since, value=0)
    failed = Alert(rule="BackupFailed", labels=labels, stand=Stand.FIRING, since_ms=0, since=since, value=1)
    memory.write([down], [Change(alert=down, fires=True), Change(alert=failed, fires=False)], at=now.timestamp())
    memory.close()


def three_weeks(appliance: Appliance, now: datetime) -> None:
    """Nightly points and drills, the last of which took too long, as a CRM has them that is looked after."""
    store = appliance.store
    for night in range(21, 0, -1):
        at = now - timedelta(days=night)
        record = {"product": "creme", "release": "2.7.13", "bytes_processed": 42_000_000, "bytes_added": 400_000 * (1 + night % 4)}
        point = RecoveryPoint(id=f"night-{night}", instance="sales", at=at, repository="local", record=record)
        store.points.add(point)
        if night % 3 == 0:
            store.points.prove(point.id, at=at, proof={})
        drill = run_operation(appliance, kind="drill", now=at)
        took = 900.0 if night == 1 else 40.0 + night % 5
        store.operations.remember(drill.id, {"facts": {"rto_seconds": took, "data_age_seconds": 3600.0}})
        end_operation(appliance, drill.id, OperationStatus.SUCCEEDED, now=at + timedelta(seconds=took))
    store.instances.promise("sales", Objectives(rpo=timedelta(days=2), rto=timedelta(minutes=10)), by="Alice", now=now)
    window = Window(days="MON-SUN", begin="01:00", length=timedelta(hours=2))
    nightly = Schedule(
        name="nightly",
        subject="sales",
        kind="backup",
        window=window,
        created_at=now,
        dealt_with=now,
        counted_from=now,
        parameters={"keep": {"daily": 7, "weekly": 4}},
    )
    store.schedules.add(nightly, by="Alice")
