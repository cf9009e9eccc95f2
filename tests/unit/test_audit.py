"""The audit: entries are only added, each follows the one before it, and whoever looks sees where that was broken."""

import io
import json
import signal
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack, closing
from pathlib import Path
from typing import Any

import pytest
from alembic import command
from alembic.config import Config
from alembic.script import ScriptDirectory
from sqlalchemy import create_engine
from typer.testing import CliRunner

from appliance.cli import app
from appliance.domain.audit import BEGINNING, AuditHead, canonical, hash_of, prove
from appliance.errors import InvalidRequest
from appliance.store.audit import AuditFilter
from appliance.store.database import MIGRATIONS, open_database
from appliance.wiring import Appliance
from tests.support.operating import make_appliance
from tests.support.web_world import NOON

RECIPE = Path(__file__).parents[2] / "docs/runbooks/audit.md"


@pytest.fixture
def appliance(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Appliance:
    made = make_appliance(tmp_path)
    monkeypatch.setenv("APPLIANCE_CONFIG", "/nonexistent")
    monkeypatch.setenv("APPLIANCE_HOME", str(made.settings.home))
    return made


@pytest.fixture
def file(appliance: Appliance) -> Path:
    for number in range(1, 7):
        detail = {"operation": number, "text": "é\u202e\n<b>"}
        appliance.store.access.audit(actor="Alice" if number % 2 else "Oscar", action="backup", subject="sales", detail=detail, now=NOON)
    return appliance.settings.database_file


def tamper(file: Path, *statements: str) -> None:
    """What somebody can who has the file: the triggers refuse nobody who removes them first."""
    with closing(sqlite3.connect(file)) as connection:
        names = [name for (name,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'trigger' AND tbl_name = 'audit'")]
        assert len(names) == 3
        for statement in [*(f"DROP TRIGGER {name}" for name in names), *statements]:
            connection.execute(statement)
        connection.commit()


def told(*argv: str, code: int = 0) -> str:
    result = CliRunner().invoke(app, ["audit", *argv], catch_exceptions=False)
    assert result.exit_code == code, result.output
    return result.stdout


def test_what_was_only_added_to_is_whole(appliance: Appliance, file: Path) -> None:
    head = appliance.store.audit.head()
    assert file.exists()
    assert (head.entries, appliance.store.audit.prove().head) == (6, head.hash)
    assert f"The audit is whole: 6 entries, the newest with the hash {head.hash}" in told("verify")
    assert json.loads(told("verify", "--head", head.hash, "--json")) == {"entries": 6, "head": head.hash, "problem": ""}


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE audit SET actor = 'Mallory' WHERE id = 2",
        "UPDATE audit SET id = 9 WHERE id = 6",
        "DELETE FROM audit WHERE id = 6",
        "DELETE FROM audit",
        "INSERT OR REPLACE INTO audit SELECT 2, at, 'Mallory', action, subject, detail, previous, hash FROM audit WHERE id = 2",
        "INSERT INTO audit SELECT 8, at, actor, action, subject, detail, hash, 'h' FROM audit WHERE id = 6",
        "INSERT INTO audit SELECT 7, at, actor, action, subject, detail, previous, 'h' FROM audit WHERE id = 6",
    ],
)
def test_the_store_refuses_anything_but_a_next_entry(appliance: Appliance, file: Path, statement: str) -> None:
    with closing(sqlite3.connect(file)) as connection, pytest.raises(sqlite3.IntegrityError, match="of the audit"):
        connection.execute(statement)
    assert appliance.store.audit.prove().problem == ""


@pytest.mark.parametrize(
    ("statements", "problem"),
    [
        (["UPDATE audit SET actor = 'Mallory' WHERE id = 3"], "Entry 3 is not as it was written"),
        (["UPDATE audit SET at = 'yesterday' WHERE id = 3"], "Entry 3 is not as it was written"),
        (["UPDATE audit SET detail = '{' WHERE id = 3"], "Entry 3 is not as it was written"),
        (["UPDATE audit SET actor = x'00ff' WHERE id = 3"], "Entry 3 is not as it was written"),
        (["DELETE FROM audit WHERE id = 3"], "Entry 3 is missing: entry 4 stands in its place"),
        (["DELETE FROM audit WHERE id < 3"], "Entry 1 is missing"),
        (["DELETE FROM audit WHERE id = 3", "UPDATE audit SET id = id - 1 WHERE id > 3"], "Entry 3 is not as it was written"),
        (
            ["UPDATE audit SET id = -3 WHERE id = 3", "UPDATE audit SET id = 3 WHERE id = 4", "UPDATE audit SET id = 4 WHERE id = -3"],
            "Entry 3 is not as it was written",
        ),
        (["INSERT INTO audit SELECT 7, at, actor, action, subject, detail, hash, 'h' FROM audit WHERE id = 6"], "Entry 7 is not as"),
    ],
)
def test_the_first_bad_entry_is_named(file: Path, statements: list[str], problem: str) -> None:
    tamper(file, *statements)
    assert f"The audit is not whole. {problem}" in told("verify", code=1)


def test_an_entry_that_was_written_anew_with_its_hash_is_noticed_at_the_next(appliance: Appliance, file: Path) -> None:
    third = {**list(appliance.store.audit.export())[2], "actor": "Mallory"}
    tamper(file, f"UPDATE audit SET actor = 'Mallory', hash = '{hash_of(third)}' WHERE id = 3")  # noqa: S608 - a hash of our own
    assert "Entry 4 does not follow the one before it" in told("verify", code=1)


def test_a_missing_end_is_noticed_by_the_head_that_was_noted(appliance: Appliance, file: Path) -> None:
    head = appliance.store.audit.head()
    tamper(file, "DELETE FROM audit WHERE id > 4")
    assert "The audit is whole: 4 entries" in told("verify")
    assert "after entry 4 the newest ones were removed" in told("verify", "--head", head.hash, code=1)
    assert not appliance.store.audit.holds(head)
    assert appliance.store.audit.holds(AuditHead(entries=0, hash=BEGINNING))
    assert json.loads(told("verify", "--head", head.hash, "--json", code=1))["problem"]


def test_a_head_that_is_none_is_refused(file: Path) -> None:
    assert file.exists()
    with pytest.raises(InvalidRequest, match="no hash of the audit"):
        told("verify", "--head", "abc")


def test_what_was_exported_is_verified_without_the_store(file: Path, tmp_path: Path) -> None:
    exported, head = told("export"), json.loads(told("verify", "--json"))["head"]
    assert (file.exists(), exported.isascii(), len(exported.splitlines())) == (True, True, 6)
    kept = tmp_path / "audit.jsonl"
    kept.write_text(exported)
    assert "whole: 6 entries" in told("verify", "--file", str(kept))
    lines = exported.splitlines()
    for bad, problem in (
        ([*lines[:1], *lines[2:]], "Entry 2 is missing"),
        ([lines[0], lines[2], lines[1]], "Entry 2 is missing"),
        ([*lines, lines[1]], "Entry 2 stands after entry 6"),
        ([lines[0].replace("Alice", "Mallory")], "Entry 1 is not as it was written"),
        ([lines[0].replace('"number":1', '"number":"one"')], "What stands in the place of entry 1 is none"),
    ):
        kept.write_text("\n".join(bad))
        assert problem in told("verify", "--file", str(kept), code=1)
    kept.write_text("\n".join(lines[:5]))
    assert "newest ones were removed" in told("verify", "--file", str(kept), "--head", head, code=1)


@pytest.mark.parametrize("content", [b"no json", b"[1]", b"\xff\xfe"])
def test_what_is_no_export_is_refused(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "other").write_bytes(content)
    with pytest.raises(InvalidRequest, match="no export of the audit"):
        told("verify", "--file", str(tmp_path / "other"))
    with pytest.raises(InvalidRequest, match="no export of the audit"):
        told("verify", "--file", str(tmp_path / "absent"))


def test_the_recipe_of_the_runbook_verifies_an_export_with_plain_python(file: Path, tmp_path: Path) -> None:
    assert file.exists()
    recipe, kept = RECIPE.read_text().split("```python\n")[1].split("```")[0], tmp_path / "audit.jsonl"

    def verified() -> subprocess.CompletedProcess[str]:
        return subprocess.run(["/usr/bin/python3", "-I", "-c", recipe, str(kept)], capture_output=True, text=True, check=False)

    kept.write_text(told("export"))
    assert (verified().returncode, json.loads(told("verify", "--json", "--file", str(kept)))["head"] in verified().stdout) == (0, True)
    kept.write_text(kept.read_text().replace("Oscar", "Mallory", 1))
    assert (verified().returncode, verified().stderr) == (1, "entry 2 is bad\n")


def test_entries_are_listed_and_exported_by_filters(appliance: Appliance, file: Path) -> None:
    assert file.exists()
    appliance.store.access.audit(actor="Alice", action="log in", subject="panel", detail={}, now=NOON.replace(hour=13))
    listed = json.loads(told("list", "--actor", "Alice", "--action", "backup", "--subject", "sales", "--limit", "2", "--json"))
    assert [one["number"] for one in listed] == [5, 3]
    assert [one["number"] for one in json.loads(told("list", "--before", "3", "--json"))] == [2, 1]
    exported = told("export", "--since", "2026-03-02T12:30:00+00:00").splitlines()
    assert [json.loads(line)["action"] for line in exported] == ["log in"]
    assert hash_of(json.loads(exported[0])) == json.loads(exported[0])["hash"]
    assert [one.action for one in appliance.store.audit.list(AuditFilter(subject="audit"))] == ["export audit"]
    with pytest.raises(InvalidRequest, match="is no moment"):
        told("list", "--since", "yesterday")


def test_a_list_on_a_terminal_is_inert(file: Path) -> None:
    assert file.exists()
    assert "\u202e" not in told("list")
    assert "No entry matches" in told("list", "--actor", "Nobody")


def test_entries_that_were_there_before_are_chained(tmp_path: Path) -> None:
    file = tmp_path / "one.sqlite"
    configuration = Config()
    configuration.set_main_option("script_location", str(MIGRATIONS))
    engine = create_engine(f"sqlite:///{file}")
    with engine.connect() as connection, connection.begin():
        configuration.attributes["connection"] = connection
        command.upgrade(configuration, str(ScriptDirectory.from_config(configuration).get_revision("0016").down_revision))
        for number in (1, 2, 5):
            values = (number, "2026-03-02T12:00:00.000000+00:00", "Alice", "é", "sales", '{"operation": 1, "b": [1.5, null]}')
            connection.exec_driver_sql("INSERT INTO audit VALUES (?, ?, ?, ?, ?, ?)", values)
        connection.exec_driver_sql("INSERT INTO users VALUES ('Alice', 'h', 'viewer', 0, 0, NULL, '2026-03-02T12:00:00.000000+00:00')")
        values_of_session = ("t", "Alice", "c", "2026-03-02T12:00:00.000000+00:00", "2026-03-03T00:00:00.000000+00:00")
        connection.exec_driver_sql("INSERT INTO sessions VALUES (?, ?, ?, ?, ?)", values_of_session)
    engine.dispose()
    store_entries = list(_exported(file))
    with closing(sqlite3.connect(file)) as bare:
        assert bare.execute("SELECT last_used_at = created_at, address, browser FROM sessions").fetchall() == [(1, "", "")]
    assert [one["number"] for one in store_entries] == [1, 2, 3]
    assert prove(store_entries).problem == ""


def _exported(file: Path) -> Iterator[dict[str, Any]]:
    from appliance.store.audit import Audit  # noqa: PLC0415 - beside the other opening of a bare file

    database = open_database(file)
    yield from Audit(database=database).export()
    database.engine.dispose()


def test_more_entries_than_are_read_at_once_are_all_given(appliance: Appliance, monkeypatch: pytest.MonkeyPatch, file: Path) -> None:
    assert file.exists()
    monkeypatch.setattr("appliance.store.audit.BATCH", 2)
    assert [one["number"] for one in appliance.store.audit.export()] == [1, 2, 3, 4, 5, 6]


ADDING = """
import sys
from datetime import UTC, datetime
from pathlib import Path
from appliance.store import open_store
store = open_store(Path(sys.argv[1]), Path(sys.argv[2]))
for number in range(int(sys.argv[4])):
    store.access.audit(actor=sys.argv[3], action="add", subject="sales", detail={"n": number}, now=datetime.now(UTC))
    print(number, flush=True)
"""


def test_many_processes_add_at_once_and_are_killed_and_the_chain_does_not_fork(appliance: Appliance) -> None:
    settings = appliance.settings
    files = (str(settings.database_file), str(settings.key_file))

    def adding(stack: ExitStack, name: str, count: int) -> subprocess.Popen[str]:
        argv = [sys.executable, "-c", ADDING, *files, name, str(count)]
        return stack.enter_context(subprocess.Popen(argv, stdout=subprocess.PIPE, text=True))

    with ExitStack() as stack:
        steady = [adding(stack, f"steady {number}", 25) for number in range(4)]
        hurried = [adding(stack, f"killed {number}", 9999) for number in range(3)]
        for one in hurried:
            assert [next(one.stdout or iter(())) for _ in range(5)] == ["0\n", "1\n", "2\n", "3\n", "4\n"]
            one.kill()
        known = [5 + len((one.stdout or io.StringIO()).readlines()) for one in hurried]
        assert [one.wait(120) for one in (*hurried, *steady)] == [-signal.SIGKILL] * 3 + [0] * 4
    written = [entry["actor"] for entry in appliance.store.audit.export()]
    assert [written.count(f"steady {number}") for number in range(4)] == [25] * 4
    lost = [written.count(f"killed {number}") - said for number, said in enumerate(known)]
    assert set(lost) <= {0, 1}  # the last one may have been written and not been said
    assert appliance.store.audit.prove().problem == ""


def test_an_entry_is_written_with_what_it_is_about_or_not_at_all(appliance: Appliance, file: Path) -> None:
    journal = appliance.store.operations
    told_before = appliance.store.audit.head().entries
    journal.record(kind="backup", instance="sales", parameters={}, steps=[], requested_by="Alice", now=NOON)
    with pytest.raises(Exception, match="is busy"):
        journal.record(kind="backup", instance="sales", parameters={}, steps=[], requested_by="Alice", now=NOON)
    assert (file.exists(), appliance.store.audit.head().entries) == (True, told_before + 1)


def test_the_canonical_form_stays_what_it_is() -> None:
    said = {
        "number": 1,
        "at": "2026-03-02T12:00:00.000000+00:00",
        "actor": "Ä",
        "action": "b",
        "subject": "c",
        "detail": {"z": 1, "a": None},
    }
    assert canonical(said).startswith('{"action":"b","actor":"\\u00c4","at":"2026-03-02T12:00:00.000000+00:00","detail":{"a":null,"z":1}')
    assert hash_of(said | {"previous": BEGINNING, "hash": "anything"}) == "a84223ca9d804f8b331389d1833aeae3fe8a1a4186c8778cfad3cb1e1237e611"
