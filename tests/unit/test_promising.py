"""What is promised of a CRM reaches the monitor."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from typer.testing import CliRunner

from appliance.cli import app
from appliance.domain.objectives import Objectives
from appliance.domain.schedule import Schedule
from appliance.domain.window import Window
from appliance.operations.promising import backup_interval, promises_of
from appliance.operations.publishing import PAUSE_SECONDS, Publishing
from monitoring.targets import Promises, read_targets
from tests.support.web_world import PanelWorld, make_world

MADE = datetime(2026, 11, 21, 12, tzinfo=UTC)


def schedule(days: str, *, subject: str = "sales", kind: str = "backup", paused: bool = False) -> Schedule:
    window = Window(days=days, begin="02:00", length=timedelta(hours=1))
    return Schedule(
        name=f"{kind}-{days.lower()}",
        subject=subject,
        kind=kind,
        window=window,
        paused=paused,
        created_at=MADE,
        dealt_with=MADE,
        counted_from=MADE,
    )


@pytest.fixture
def world(tmp_path: Path) -> PanelWorld:
    return make_world(tmp_path)


@pytest.mark.parametrize(
    ("schedules", "days"),
    [
        ([], 1),
        ([schedule("MON-SUN")], 1),
        ([schedule("MON-FRI")], 3),
        ([schedule("SUN")], 7),
        ([schedule("SUN"), schedule("MON-FRI")], 3),
        ([schedule("SUN", paused=True)], 7),
        ([schedule("SUN", kind="drill")], 1),
        ([schedule("SUN", subject="other")], 1),
    ],
)
def test_the_next_backup_is_expected_when_its_schedule_says(schedules: list[Schedule], days: int) -> None:
    assert backup_interval("sales", schedules) == timedelta(days=days)


def test_hourly_backups_are_expected_within_the_longest_pause_between_them() -> None:
    by_day = Window(days="MON-FRI", begin="07:00", length=timedelta(hours=12), every=timedelta(hours=1))
    assert backup_interval("sales", [replace(schedule("*"), window=by_day)]) == timedelta(days=2, hours=13)
    always = replace(by_day, days="*", begin="00:00", length=timedelta(days=1))
    assert backup_interval("sales", [replace(schedule("*"), window=always)]) == timedelta(hours=1)


def test_what_is_not_promised_is_what_is_expected_of_every_crm(world: PanelWorld) -> None:
    sales = world.appliance.store.instances.get("sales")
    assert promises_of(sales, []) == Promises()
    promised = Objectives(rpo=timedelta(hours=1), rto=timedelta(minutes=30), availability=0.999, latency=timedelta(milliseconds=800))
    expected = Promises(availability_ratio=0.999, latency_seconds=0.8, rpo_seconds=3600, rto_seconds=1800)
    assert promises_of(replace(sales, objectives=promised), []) == expected


def test_a_promise_is_published_by_the_worker_and_only_when_it_has_changed(world: PanelWorld, monkeypatch: pytest.MonkeyPatch) -> None:
    appliance, seconds = world.appliance, iter(range(0, 10_000, int(PAUSE_SECONDS)))
    publishing = Publishing(monotonic=lambda: float(next(seconds)))
    publishing.look(appliance)
    file: Path = appliance.settings.targets_file
    stamp = file.stat().st_mtime_ns
    publishing.look(appliance)
    assert file.stat().st_mtime_ns == stamp
    monkeypatch.setenv("APPLIANCE_CONFIG", "/nonexistent")
    monkeypatch.setenv("APPLIANCE_HOME", str(appliance.settings.home))
    done = CliRunner().invoke(
        app, ["instance", "objectives", "sales", "--availability", "99.9", "--latency", "1200ms"], catch_exceptions=False
    )
    assert "per cent served 99.9, answers within 1200ms" in " ".join(done.stdout.split())
    publishing.look(appliance)
    (target,) = read_targets(file).targets
    assert (target.promises.availability_ratio, target.promises.latency_seconds) == (0.999, 1.2)
