"""Which base and which snapshot of the log lead to a moment."""

from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from backup.bases import Base, Log, LogTags, given_up, reaching, superseded
from backup.engines.postgresql_files import CopiedFiles
from backup.wal import bytes_of, end_of, is_part_of_a_log

NOON = datetime(2026, 11, 22, 12, tzinfo=UTC)
FILES = CopiedFiles(
    label="",
    segment="000000010000000000000002",
    start_lsn="0/2000028",
    stop_lsn="0/2000100",
    timeline=1,
    system="7",
    version="15.1",
    at=NOON,
)
BASE = Base(id="b", crm="demo", snapshot="s", directory="/d", log="7", files=FILES, bytes_added=1, bytes_processed=1, duration_seconds=1.0)


def log(lsn: str, *, minutes: int, start: str = "000000010000000000000001", name: str = "7") -> Log:
    tags = LogTags(crm="demo", log=name, start=start, lsn=lsn, until=NOON + timedelta(minutes=minutes))
    return Log(snapshot=f"{lsn} {minutes}", directory="/spool/log", tags=tags)


LOGS = [log("0/2000050", minutes=1), log("0/3000000", minutes=2), log("0/4000000", minutes=3)]


def test_the_newest_log_leads_as_far_as_possible() -> None:
    assert reaching(BASE, LOGS, lsn=None, until=None) is LOGS[2]


def test_the_first_log_that_reaches_a_position_is_taken() -> None:
    assert reaching(BASE, LOGS, lsn="0/2FFFFFF", until=None) is LOGS[1]
    assert reaching(BASE, LOGS, lsn="0/4000001", until=None) is None


def test_a_moment_needs_a_log_that_was_received_after_it() -> None:
    assert reaching(BASE, LOGS, lsn=None, until=NOON + timedelta(minutes=2)) is LOGS[2]
    assert reaching(BASE, LOGS, lsn=None, until=NOON + timedelta(minutes=3)) is None


def test_a_log_that_ends_before_the_base_was_whole_leads_nowhere() -> None:
    assert reaching(BASE, LOGS[:1], lsn=None, until=None) is None


def test_another_log_or_one_that_begins_too_late_leads_nowhere() -> None:
    others = [log("0/5000000", minutes=4, name="8"), log("0/5000000", minutes=4, start="000000010000000000000003")]
    assert reaching(BASE, others, lsn=None, until=None) is None


def base(name: str, *, minutes: int, log: str = "7") -> Base:
    files = FILES.model_copy(update={"at": NOON + timedelta(minutes=minutes)})
    return BASE.model_copy(update={"id": name, "log": log, "files": files})


def test_what_leads_to_no_moment_since_is_given_up() -> None:
    bases = [base("new", minutes=20), base("middle", minutes=10), base("old", minutes=0)]
    logs = [log("0/3000000", minutes=5), log("0/4000000", minutes=15), log("0/5000000", minutes=25)]
    went = given_up(bases, logs, since=NOON + timedelta(minutes=12))
    assert ([one.id for one in went[0]], went[1]) == (["old"], logs[:1])
    assert given_up(bases, logs, since=NOON - timedelta(minutes=1)) == ([], [])


def test_the_log_of_a_database_that_serves_no_longer_goes_with_its_last_base() -> None:
    bases = [base("new", minutes=20, log="8"), base("old", minutes=0)]
    logs = [log("0/3000000", minutes=25), log("0/3000000", minutes=25, name="8")]
    assert given_up(bases, logs, since=NOON + timedelta(minutes=30)) == ([bases[1]], [logs[0]])


def test_only_the_last_snapshot_of_a_log_is_needed() -> None:
    trimmed = log("0/4100000", minutes=4, start="000000010000000000000003")
    assert superseded([*LOGS, trimmed]) == LOGS[:2]


@given(st.integers(min_value=1, max_value=2**24 - 1))
def test_the_end_of_a_full_segment_is_where_the_next_one_begins(number: int) -> None:
    name = f"00000001{number // 256:08X}{number % 256:08X}"
    assert bytes_of(end_of([name, "0000000100000000000000FF.partial"])) == (number + 1) * 16 * 1024**2
    assert is_part_of_a_log(name)
