"""A damaged ledger: what is kept, what is said of what is lost, and a kill in the middle of mending."""

import os
import sqlite3
from contextlib import closing
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from pathlib import Path

import pytest

from monitoring import mending
from monitoring.clock import Moment
from monitoring.ledger import SERVICE, Interval, Ledger, Observation, State
from monitoring.mending import mend
from monitoring.schema import LedgerTooNew, connect

PAGE = 4096
ROUNDS = 800
START = datetime(2026, 11, 21, 12, tzinfo=UTC)


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """A ledger of many outages of two CRMs."""
    path = tmp_path / "ledger.sqlite"
    with Ledger(path) as ledger:
        for number in range(ROUNDS):
            at = Moment(wall=START + timedelta(minutes=number), boot_seconds=60.0 * number, boot_id="first")
            state = State.DOWN if number % 2 else State.UP
            facts = {"target": SERVICE, "state": state, "at": at, "believed_seconds": 90, "believed_after_start_seconds": 90}
            ledger.record([Observation(crm=crm, **facts) for crm in ("one", "two")], [], at)  # type: ignore[arg-type]
    return path


def tear(path: Path, page: int, pages: int = 1) -> None:
    with path.open("r+b") as file:
        file.seek(page * PAGE)
        file.write(os.urandom(pages * PAGE))


def intervals_of(path: Path, crm: str) -> list[Interval]:
    with Ledger(path) as ledger:
        return ledger.intervals(crm)


def test_a_whole_ledger_is_left_alone(file: Path) -> None:
    content = file.read_bytes()
    mend(file)
    assert (file.read_bytes(), [left.name for left in file.parent.iterdir() if "damaged" in left.name]) == (content, [])


def test_a_ledger_that_is_not_there_is_not_made(tmp_path: Path) -> None:
    mend(tmp_path / "ledger.sqlite")
    assert list(tmp_path.iterdir()) == []


def test_what_was_lost_is_unknown_and_all_else_is_as_it_was(file: Path) -> None:
    before = {interval.start_ms: interval for interval in intervals_of(file, "one")}
    pages = file.stat().st_size // PAGE
    tear(file, pages // 2, 4)
    mend(file)
    kept = intervals_of(file, "one")
    assert all(earlier.end_ms == later.start_ms for earlier, later in pairwise(kept))
    lost = [interval for interval in kept if interval.reason == "the ledger was damaged"]
    assert [interval.state for interval in lost] == [State.UNKNOWN]
    assert all(before[interval.start_ms] == interval for interval in kept if interval not in lost)
    assert len(kept) > ROUNDS / 2
    assert (kept[0].start_ms, kept[-1].end_ms) == (min(before), max(interval.end_ms for interval in before.values()))


@pytest.mark.parametrize("moment", ["link", "replace"])
def test_mending_that_was_killed_is_brought_to_its_end_by_the_next(file: Path, monkeypatch: pytest.MonkeyPatch, moment: str) -> None:
    tear(file, file.stat().st_size // PAGE // 2)
    damaged = file.read_bytes()

    def die(*_: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr(os, "link", die) if moment == "link" else patched.setattr(mending, "_exchange", die)
        with pytest.raises(KeyboardInterrupt):
            mend(file)
    assert file.read_bytes() == damaged
    mend(file)
    (aside,) = file.parent.glob("ledger.sqlite.damaged-*")
    assert aside.read_bytes() == damaged
    assert len(intervals_of(file, "two")) > ROUNDS / 2
    assert not list(file.parent.glob("ledger.sqlite.mend*"))


def test_a_damaged_ledger_of_a_newer_version_is_left_unchanged(file: Path) -> None:
    with closing(sqlite3.connect(file)) as connection:
        connection.execute("PRAGMA user_version = 99")
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    tear(file, file.stat().st_size // PAGE // 2)
    damaged = file.read_bytes()
    mend(file)
    assert file.read_bytes() == damaged
    with pytest.raises(LedgerTooNew):
        Ledger(file)


def test_every_table_of_a_ledger_is_mended(tmp_path: Path) -> None:
    with closing(connect(tmp_path / "new.sqlite")) as connection:
        tables = {row["name"] for row in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}
    assert tables == set(mending.TABLES)


def test_a_damaged_ledger_of_an_older_version_is_mended_and_brought_up_to_date(file: Path) -> None:
    with closing(sqlite3.connect(file)) as connection:
        connection.execute("INSERT INTO alerts VALUES ('HostDown', '{}', 'firing', 1, 1.0, 1.0, '')")
        connection.execute("ALTER TABLE alerts DROP COLUMN untold")
        connection.execute("DROP TABLE latencies")
        connection.execute("PRAGMA user_version = 2")
        connection.commit()
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    tear(file, file.stat().st_size // PAGE // 2)
    mend(file)
    assert len(intervals_of(file, "one")) > ROUNDS / 2
    with closing(connect(file)) as connection:
        assert [tuple(row) for row in connection.execute("SELECT rule, untold FROM alerts")] == [("HostDown", "")]
        assert connection.execute("SELECT count(*) FROM latencies").fetchone()[0] == 0
