"""What the ledger of a real monitor holds after the worst days of its machine: no second is lost, none invented, none counted twice."""

import os
import random
import shutil
import signal
import sqlite3
import time
from collections.abc import Callable, Iterator
from contextlib import closing, suppress
from dataclasses import replace
from datetime import timedelta
from itertools import pairwise
from pathlib import Path
from uuid import uuid4

import pytest

from monitoring.clock import BOOT_ID_FILE, open_clock
from monitoring.ledger import SERVICE, Interval, Ledger, Observation, State
from monitoring.targets import write_targets
from tests.faults.backup_disk import after_power_cut, disk_with_power, power_off, small_disk
from tests.support.monitor_process import INTERVAL_SECONDS, Crm, MonitorProcess, target, wait_until
from tests.support.stepped_clock import SteppedClock

DAY, TEN_MINUTES = timedelta(days=1), 600
SLACK_SECONDS = 5
"""What a busy machine may add to a start or a round."""
PAGE = 4096
YEAR_INTERVALS = 1500
needs_root = pytest.mark.skipif(os.geteuid() != 0, reason="namespaces and mounts need root")
needs_compiler = pytest.mark.skipif(shutil.which("cc") is None, reason="the clock that is set is a library in C")


@pytest.fixture(scope="module")
def crm() -> Iterator[Crm]:
    """It is never stopped, so whatever says that it was down was invented."""
    site = Crm()
    yield site
    site.stop()


@pytest.fixture
def monitor(crm: Crm, tmp_path: Path) -> Iterator[MonitorProcess]:
    process = MonitorProcess(tmp_path)
    write_targets(process.targets, [target(crm)])
    yield process
    if process.process.poll() is None:
        process.end()


def sees_it_up(monitor: MonitorProcess) -> None:
    """Wait until it is up, and has been for some rounds since now."""
    began = monitor.newest_end_ms()
    wait_until(lambda: monitor.newest_end_ms() > began + 1500 * INTERVAL_SECONDS and monitor.states()[-1] is State.UP)


def accounted(monitor: MonitorProcess) -> list[Interval]:
    """All intervals; none overlaps another, none is missing between, and the file is whole."""
    with closing(sqlite3.connect(monitor.ledger)) as connection:
        assert connection.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
    intervals = monitor.intervals()
    assert all(before.end_ms == after.start_ms for before, after in pairwise(intervals))
    assert {interval.state for interval in intervals} <= {State.UP, State.UNKNOWN}
    with Ledger(monitor.ledger) as ledger:
        heartbeat = ledger.heartbeat()
        assert heartbeat is not None
        uptime = ledger.uptime("demo", timedelta(days=30), heartbeat.at)
    assert uptime.elapsed_seconds == pytest.approx(sum(interval.seconds for interval in intervals), abs=0.001)
    assert uptime.observed_ratio == 1
    return intervals


def unknown_seconds(intervals: list[Interval]) -> float:
    return sum(interval.seconds for interval in intervals if interval.state is State.UNKNOWN)


def test_kill_9_at_any_moment_loses_no_second_and_invents_none(monitor: MonitorProcess) -> None:
    moments, clock, away = random.Random(6), open_clock(), 0.0  # noqa: S311 - moments, not secrets
    monitor.start()
    sees_it_up(monitor)
    began, first_ms = clock().boot_seconds, monitor.newest_end_ms()
    for _ in range(6):
        time.sleep(moments.uniform(0.2, 1.2))
        monitor.end()
        killed = clock().boot_seconds
        monitor.start()
        sees_it_up(monitor)
        away += clock().boot_seconds - killed
    elapsed = (monitor.newest_end_ms() - first_ms) / 1000
    assert elapsed == pytest.approx(clock().boot_seconds - began, abs=SLACK_SECONDS)
    # A second of what was seen is in memory until the next heartbeat.
    assert unknown_seconds(accounted(monitor)) <= away + 6 * (1 + INTERVAL_SECONDS)


@needs_compiler
def test_a_clock_that_is_set_by_a_day_changes_no_duration(monitor: MonitorProcess, tmp_path: Path) -> None:
    wall, clock = SteppedClock(directory=tmp_path).make(), open_clock()
    monitor.start(environment=wall.environment)
    sees_it_up(monitor)
    began, first_ms = clock().boot_seconds, monitor.newest_end_ms()
    for by in (DAY, timedelta(), -DAY, timedelta()):
        wall.step(by)
        sees_it_up(monitor)
    assert (monitor.newest_end_ms() - first_ms) / 1000 == pytest.approx(clock().boot_seconds - began, abs=SLACK_SECONDS)
    assert unknown_seconds(accounted(monitor)) == 0
    with Ledger(monitor.ledger) as ledger:
        steps = [(event.result, round(event.values["seconds"])) for _, event in ledger.events_after(0)]
    assert steps == [("forward", 86400), ("backward", -86400), ("backward", -86400), ("forward", 86400)]


def test_a_monitor_that_stood_still_knows_nothing_of_that_time(monitor: MonitorProcess) -> None:
    monitor.start()
    sees_it_up(monitor)
    monitor.process.send_signal(signal.SIGSTOP)
    time.sleep(8)
    monitor.process.send_signal(signal.SIGCONT)
    sees_it_up(monitor)
    assert 8 <= unknown_seconds(accounted(monitor)) <= 8 + SLACK_SECONDS


@needs_root
@needs_compiler
@pytest.mark.parametrize("clock_is_told", [True, False], ids=["and-all-clocks-say-so", "and-the-wall-clock-was-set-back"])
def test_ten_minutes_without_a_monitor_are_ten_minutes_that_nobody_saw(
    monitor: MonitorProcess, tmp_path: Path, *, clock_is_told: bool
) -> None:
    wall = SteppedClock(directory=tmp_path).make()
    monitor.start(environment=wall.environment)
    sees_it_up(monitor)
    monitor.end()
    wall.step(timedelta(seconds=TEN_MINUTES if clock_is_told else 0))
    monitor.start(within=ten_minutes_later(), environment=wall.environment)
    sees_it_up(monitor)
    assert TEN_MINUTES <= unknown_seconds(accounted(monitor)) <= TEN_MINUTES + SLACK_SECONDS


def ten_minutes_later() -> list[str]:
    """The command that lets a program live when the machine has been on for ten minutes more."""
    return ["unshare", "--time", "--boottime", str(TEN_MINUTES), "--monotonic", str(TEN_MINUTES), "--fork", "--kill-child"]


def after_a_reboot(directory: Path) -> list[str]:
    """The command that lets a program find what it finds after a boot: another id, and clocks that begin anew."""
    (directory / "boot_id").write_text(f"{uuid4()}\n")
    offset = str(1 - int(time.clock_gettime(time.CLOCK_BOOTTIME)))
    mount = f"mount --bind {directory}/boot_id {BOOT_ID_FILE}"
    unshare = ["unshare", "--mount", "--time", "--boottime", offset, "--fork", "--kill-child"]
    return [*unshare, "sh", "-euc", f'{mount}; exec "$@"', "-"]


@needs_root
def test_reboots_are_gaps_of_their_own_length(monitor: MonitorProcess, tmp_path: Path) -> None:
    monitor.start()
    sees_it_up(monitor)
    for _ in range(2):
        monitor.end()
        time.sleep(2)
        monitor.start(within=after_a_reboot(tmp_path))
        sees_it_up(monitor)
    intervals = accounted(monitor)
    assert [interval.state.value for interval in intervals] == ["up", "unknown", "up", "unknown", "up"]
    assert {interval.reason for interval in intervals[1::2]} == {"the machine was restarted"}
    assert all(2 <= interval.seconds <= 2 + 2 * SLACK_SECONDS for interval in intervals[1::2])


@pytest.fixture
def monitor_on_a_small_disk(crm: Crm, tmp_path: Path) -> Iterator[MonitorProcess]:
    """Its ledger lies on a disk of its own."""
    with small_disk(tmp_path / "disk", size_bytes=1024**2) as disk:
        process = MonitorProcess(disk)
        process.targets, process.log = tmp_path / "targets.json", tmp_path / "log"
        write_targets(process.targets, [target(crm)])
        yield process
        if process.process.poll() is None:
            process.end()


def fill(disk: Path) -> Path:
    """Until not a byte more goes in."""
    ballast = disk / "ballast"
    with ballast.open("wb", buffering=0) as file, suppress(OSError):
        while True:
            file.write(bytes(4096))
    return ballast


@needs_root
def test_a_full_disk_costs_no_second_once_it_is_free_again(monitor_on_a_small_disk: MonitorProcess) -> None:
    monitor = monitor_on_a_small_disk
    monitor.start()
    sees_it_up(monitor)
    ballast = fill(monitor.ledger.parent)
    wait_until(lambda: monitor.value("appliance_collect_errors_total", collector="ledger") >= 5)
    ballast.unlink()
    sees_it_up(monitor)
    assert [interval.state for interval in accounted(monitor)] == [State.UP]


@needs_root
def test_a_monitor_killed_on_a_full_disk_goes_on_once_it_is_free_again(monitor_on_a_small_disk: MonitorProcess) -> None:
    monitor = monitor_on_a_small_disk
    monitor.start()
    sees_it_up(monitor)
    before = monitor.intervals()[0].seconds
    ballast = fill(monitor.ledger.parent)
    wait_until(lambda: monitor.value("appliance_collect_errors_total", collector="ledger") >= 2)
    monitor.end()
    monitor.start()
    time.sleep(3)
    ballast.unlink()
    if monitor.process.poll() is not None:
        assert "The monitor cannot run" in monitor.log.read_text()
        monitor.start()
    sees_it_up(monitor)
    first, *_ = accounted(monitor)
    assert first.seconds >= before


@pytest.fixture
def monitor_whose_disk_has_power(crm: Crm, tmp_path: Path) -> Iterator[MonitorProcess]:
    """Until it is cut."""
    with disk_with_power(tmp_path / "disk") as disk:
        process = MonitorProcess(disk)
        process.targets, process.log = tmp_path / "targets.json", tmp_path / "log"
        write_targets(process.targets, [target(crm)])
        yield process
        if process.process.poll() is None:
            process.end()


@needs_root
def test_a_power_cut_loses_nothing_that_was_in_the_ledger(monitor_whose_disk_has_power: MonitorProcess) -> None:
    monitor = monitor_whose_disk_has_power
    for _ in range(2):
        monitor.start()
        sees_it_up(monitor)
        seen_ms = monitor.newest_end_ms()
        power_off(monitor.ledger.parent)
        monitor.end()
        after_power_cut(monitor.ledger.parent)
        assert monitor.newest_end_ms() >= seen_ms
    monitor.start()
    sees_it_up(monitor)
    accounted(monitor)


@pytest.mark.parametrize("part", [0.1, 0.35, 0.6, 0.95])
def test_a_log_that_is_cut_off_anywhere_goes_back_to_what_was_whole(monitor: MonitorProcess, part: float) -> None:
    monitor.start()
    sees_it_up(monitor)
    monitor.end()
    log = monitor.ledger.with_name(monitor.ledger.name + "-wal")
    os.truncate(log, int(log.stat().st_size * part))
    monitor.start()
    sees_it_up(monitor)
    assert accounted(monitor)[-1].state is State.UP


def torn(content: bytes, at: int, pages: int) -> bytes:
    """Other bytes in some pages."""
    return content[:at] + os.urandom(pages * PAGE) + content[at + pages * PAGE :]


HARMS: dict[str, Callable[[bytes], bytes]] = {
    "is cut off": lambda content: content[: len(content) // 2],
    "is empty of sense": lambda content: bytes(len(content)),
    "is another file": lambda _: b"What is this?\n" * 1000,
    "has a torn page": lambda content: torn(content, PAGE * 20, 1),
    "has torn pages in its middle": lambda content: (
        content[: len(content) // 2] + os.urandom(3 * PAGE) + content[len(content) // 2 + 3 * PAGE :]
    ),
    "has lost its end": lambda content: content[: -3 * PAGE],
}


@pytest.mark.parametrize("harm", HARMS)
def test_a_damaged_ledger_is_set_aside_and_what_can_be_read_of_it_is_kept(monitor: MonitorProcess, harm: str) -> None:
    a_year(monitor.ledger)
    content = monitor.ledger.read_bytes()
    monitor.ledger.write_bytes(HARMS[harm](content))
    damaged = monitor.ledger.read_bytes()
    monitor.start()
    wait_until(lambda: monitor.get("/metrics")[0] == 200)
    wait_until(lambda: bool(monitor.intervals()) and monitor.states()[-1] is State.UP)
    (aside,) = monitor.ledger.parent.glob("ledger.sqlite.damaged-*")
    assert aside.read_bytes() == damaged
    assert "is damaged" in monitor.log.read_text()
    with Ledger(monitor.ledger) as ledger:
        (event,) = ledger.events("ledger_damaged")
        kept = ledger.intervals("demo")
    assert event.values["kept"] >= 0
    assert all(before.end_ms == after.start_ms for before, after in pairwise(kept))
    if harm.startswith("has"):
        assert len(kept) > YEAR_INTERVALS / 2


def a_year(file: Path) -> None:
    """A ledger with a year of outages, ended ten minutes ago; nothing of it is left in the log beside it."""
    now = open_clock()()
    with Ledger(file) as ledger:
        for number in reversed(range(YEAR_INTERVALS)):
            seconds = TEN_MINUTES + number * 60
            at = replace(now, wall=now.wall - timedelta(seconds=seconds), boot_seconds=now.boot_seconds - seconds)
            state = State.DOWN if number % 2 else State.UP
            ledger.record(
                [Observation(crm="demo", target=SERVICE, state=state, at=at, believed_seconds=90, believed_after_start_seconds=90)], [], at
            )
    with closing(sqlite3.connect(file)) as connection:
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
