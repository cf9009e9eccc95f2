"""The second factor: codes as RFC 4226 and RFC 6238 have them, each good once, and root's way back in."""

import json
import sqlite3
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from alembic import command
from alembic.config import Config
from sqlalchemy import create_engine
from typer.testing import CliRunner

from appliance.cli import app
from appliance.domain.second_factor import (
    ALPHABET,
    RECOVERY_CODES,
    code_at,
    make_recovery_codes,
    make_secret,
    matching_step,
    recovery_hash,
    step_of,
)
from appliance.errors import Conflict, NotFound
from appliance.store.audit import AuditFilter
from appliance.store.database import MIGRATIONS, open_database
from appliance.wiring import Appliance
from tests.support.operating import make_appliance
from tests.support.web_world import NOON, add_people

RFC_SECRET = "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ"
"""The 20 bytes 12345678901234567890 of both RFCs."""
HOTP = ("755224", "287082", "359152", "969429", "338314", "254676", "287922", "162583", "399871", "520489")
"""RFC 4226, appendix D."""
TOTP = {59: "287082", 1111111109: "081804", 1111111111: "050471", 1234567890: "005924", 2000000000: "279037", 20000000000: "353130"}
"""RFC 6238, appendix B, with SHA-1; the last six of its eight digits."""


@pytest.fixture
def appliance(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Appliance:
    made = make_appliance(tmp_path)
    add_people(made)
    monkeypatch.setenv("APPLIANCE_CONFIG", "/nonexistent")
    monkeypatch.setenv("APPLIANCE_HOME", str(made.settings.home))
    return made


@pytest.fixture
def codes(appliance: Appliance) -> list[str]:
    """Alice's recovery codes; her app has the secret of the RFCs, and nothing of it was used since long."""
    made = make_recovery_codes()
    appliance.store.second_factors.turn_on("Alice", secret=RFC_SECRET, step=0, codes=made, now=NOON)
    return made


def test_codes_are_those_of_the_rfcs() -> None:
    assert tuple(code_at(RFC_SECRET, step) for step in range(10)) == HOTP
    assert {seconds: code_at(RFC_SECRET, step_of(datetime.fromtimestamp(seconds, UTC))) for seconds in TOTP} == TOTP


def test_a_clock_may_be_off_by_one_step_and_no_more() -> None:
    now = datetime.fromtimestamp(1111111109, UTC)
    middle = step_of(now)
    taken = [
        step - middle for step in range(middle - 4, middle + 5) if matching_step(RFC_SECRET, code_at(RFC_SECRET, step), now) is not None
    ]
    assert taken == [-1, 0, 1]


@pytest.mark.parametrize("typed", ["", "0", "08180", "0818044", "081804a", "é81804", "８１804", "\x00", "9" * 10_000])
def test_what_is_no_code_matches_nothing(typed: str) -> None:
    assert matching_step(RFC_SECRET, typed, datetime.fromtimestamp(1111111109, UTC)) is None


def test_a_code_may_be_typed_in_groups() -> None:
    now = datetime.fromtimestamp(1111111109, UTC)
    assert matching_step(RFC_SECRET, " 081 804 ", now) == step_of(now)


def test_secrets_and_recovery_codes_are_long_and_differ() -> None:
    codes = {code for _ in range(20) for code in make_recovery_codes()}
    assert (len(codes), len({make_secret() for _ in range(200)}), len(make_secret())) == (20 * RECOVERY_CODES, 200, 32)
    assert {len(code.replace("-", "")) for code in codes} == {16}
    assert set("".join(codes)) <= {*ALPHABET, "-"}


@pytest.mark.usefixtures("codes")
def test_each_code_counts_once_and_none_before_it_after_it(appliance: Appliance) -> None:
    take, step = appliance.store.second_factors.take, step_of(NOON)
    assert take("Alice", code_at(RFC_SECRET, step), now=NOON) == "code"
    assert take("Alice", code_at(RFC_SECRET, step), now=NOON) == ""
    assert take("Alice", code_at(RFC_SECRET, step - 1), now=NOON) == ""
    assert take("Alice", code_at(RFC_SECRET, step + 1), now=NOON) == "code"
    assert take("Alice", code_at(RFC_SECRET, step), now=NOON + timedelta(seconds=30)) == ""


def test_of_many_who_send_one_code_at_once_one_gets_in(appliance: Appliance, codes: list[str]) -> None:
    for typed in (code_at(RFC_SECRET, step_of(NOON)), codes[0]):
        with ThreadPoolExecutor(8) as pool:
            told = list(pool.map(lambda _, typed=typed: appliance.store.second_factors.take("Alice", typed, now=NOON), range(8)))
        assert sorted(told)[:7] == [""] * 7
        assert sorted(told)[7]


def test_a_recovery_code_counts_once_however_it_is_typed_and_for_its_user_alone(appliance: Appliance, codes: list[str]) -> None:
    factors = appliance.store.second_factors
    factors.turn_on("Oscar", secret=make_secret(), step=0, codes=[], now=NOON)
    assert factors.take("Oscar", codes[0], now=NOON) == ""
    assert factors.take("Alice", f" {codes[0].upper().replace('-', ' ')} ", now=NOON) == "recovery code"
    assert factors.take("Alice", codes[0], now=NOON) == ""
    assert [one.codes_left for one in factors.list()] == [RECOVERY_CODES - 1, 0]


def test_of_failures_that_come_at_once_each_is_counted(appliance: Appliance) -> None:
    access = appliance.store.access
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda _: access.count_failure("Alice", now=NOON, lock_end=lambda _: None), range(24)))
    user = access.find_user("Alice")
    assert user is not None
    assert user.failures == 24


def test_the_file_holds_neither_secret_nor_recovery_code(appliance: Appliance, codes: list[str]) -> None:
    offered = appliance.store.second_factors.offer("Alice")
    with closing(sqlite3.connect(appliance.settings.database_file)) as connection:
        dump = "\n".join(connection.iterdump())
    assert recovery_hash("Alice", codes[0]) in dump
    assert [text for text in (RFC_SECRET, offered, *codes, codes[0].replace("-", "")) if text in dump] == []


@pytest.mark.usefixtures("codes")
def test_what_is_offered_changes_nothing_until_it_is_turned_on(appliance: Appliance) -> None:
    factors = appliance.store.second_factors
    assert factors.offer("Alice") == factors.offered("Alice")
    assert factors.take("Alice", code_at(RFC_SECRET, step_of(NOON)), now=NOON) == "code"
    factors.turn_off("Alice", by="Alice", now=NOON)
    with pytest.raises(Conflict, match="Nothing was changed"):
        factors.offered("Alice")
    with pytest.raises(NotFound, match="has no second factor"):
        factors.turn_off("Alice", by="Alice", now=NOON)
    with pytest.raises(NotFound, match="has no second factor"):
        factors.replace_codes("Alice", [], now=NOON)


@pytest.mark.usefixtures("codes")
def test_root_turns_it_off_and_sees_who_has_it(appliance: Appliance, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("appliance.cli.users.now", lambda: NOON)
    appliance.store.access.note_attempt("Oscar", failures=5, locked_until=NOON + timedelta(seconds=30))

    def told(*argv: str) -> str:
        return CliRunner().invoke(app, ["user", *argv], catch_exceptions=False).stdout

    users = {one["name"]: one for one in json.loads(told("list", "--json"))}
    assert users["Alice"]["second_factor"] == {"since": NOON.isoformat(), "codes_left": 10, "has_app": True, "passkeys": 0}
    assert (users["Oscar"]["second_factor"], bool(users["Oscar"]["locked_until"]), users["Alice"]["locked_until"]) == (None, True, None)
    rows = {line.split()[0]: line.split()[1:] for line in told("list").splitlines()[1:]}
    assert (rows["Alice"], rows["Victor"]) == (["administrator", "2026-03-02", "12:00:00", "0", "10"], ["viewer", "none"])
    assert "10 recovery codes left" in told("second-factor", "Alice")
    assert "no second factor" in told("second-factor", "Alice", "--off")
    assert appliance.store.second_factors.list() == []
    (entry,) = appliance.store.audit.list(AuditFilter(action="turn off second factor"))
    assert (entry.subject, entry.actor.endswith("(command line)")) == ("Alice", True)
    for argv, why in (
        (("second-factor", "Nobody"), "There is no user 'Nobody'"),
        (("second-factor", "Alice", "--off"), "has no second factor"),
    ):
        with pytest.raises(NotFound, match=why):
            told(*argv)


def test_a_store_from_before_is_brought_forward_and_its_sessions_go_on(tmp_path: Path) -> None:
    file, engine = tmp_path / "old.sqlite", create_engine(f"sqlite:///{tmp_path / 'old.sqlite'}")
    configuration = Config()
    configuration.set_main_option("script_location", str(MIGRATIONS))
    with engine.begin() as connection:
        configuration.attributes["connection"] = connection
        command.upgrade(configuration, "0016")
        moment = NOON.isoformat(timespec="microseconds")
        connection.exec_driver_sql(
            "INSERT INTO users (name, password_hash, role, must_change, failures, created_at) VALUES ('Alice', 'h', 'viewer', 0, 0, ?)",
            (moment,),
        )
        connection.exec_driver_sql(
            "INSERT INTO sessions (token_hash, user, csrf, created_at, last_used_at, expires_at) VALUES ('t', 'Alice', 'c', ?, ?, ?)",
            (moment, moment, moment),
        )
    engine.dispose()
    database = open_database(file)
    with database.engine.connect() as connection:
        assert connection.exec_driver_sql("SELECT user, confirmed_at FROM sessions").all() == [("Alice", None)]
        assert connection.exec_driver_sql("SELECT count(*) FROM second_factors").scalar_one() == 0
    database.engine.dispose()
