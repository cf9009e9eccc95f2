"""The store's file is brought up to date, whoever opens it and whatever else is opened at the same time."""

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from alembic.config import Config
from alembic.script import ScriptDirectory
from alembic.util import CommandError
from sqlalchemy import text

from appliance.store.database import MIGRATIONS, Database, is_current, open_database


def test_new_files_can_be_opened_side_by_side_in_one_process(tmp_path: Path) -> None:
    with ThreadPoolExecutor(8) as pool:
        opened = list(pool.map(lambda number: open_database(tmp_path / f"{number}.sqlite"), range(8)))
    assert all(is_current(database) for database in opened)
    for database in opened:
        database.engine.dispose()


def test_one_new_file_can_be_opened_by_many_at_once(tmp_path: Path) -> None:
    with ThreadPoolExecutor(8) as pool:
        opened = list(pool.map(lambda _: open_database(tmp_path / "one.sqlite"), range(8)))
    assert all(is_current(database) for database in opened)
    for database in opened:
        database.engine.dispose()


def test_a_file_that_has_not_seen_every_migration_is_not_current(tmp_path: Path) -> None:
    configuration = Config()
    configuration.set_main_option("script_location", str(MIGRATIONS))
    newest = ScriptDirectory.from_config(configuration).get_current_head()
    database = open_database(tmp_path / "one.sqlite")
    with database.engine.connect() as connection:
        assert connection.execute(text("SELECT version_num FROM alembic_version")).scalar() == newest
    assert is_current(database)
    with database.writing() as session:
        session.execute(text("UPDATE alembic_version SET version_num = '0001'"))
    assert not is_current(database)
    database.engine.dispose()


def test_a_file_of_an_unknown_version_is_left_as_it_is(tmp_path: Path) -> None:
    database = open_database(tmp_path / "one.sqlite")
    with database.writing() as session:
        session.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    with pytest.raises(CommandError, match="9999"):
        open_database(tmp_path / "one.sqlite")
    assert not is_current(database)
    database.engine.dispose()


def test_kept_connections_are_used_again_and_follow_a_store_that_was_brought_back(tmp_path: Path) -> None:
    file, other = tmp_path / "one.sqlite", tmp_path / "other.sqlite"
    kept, another = open_database(file, keeps_connections=True), open_database(other)
    with another.writing() as session:
        session.execute(text("INSERT INTO events (at, type, subject, data) VALUES ('2026-01-01', 'told', 'brought-back', '{}')"))
    another.engine.dispose()
    assert _subjects(kept) == []
    assert _connection(kept) is _connection(kept)
    for beside in ("-wal", "-shm"):
        file.with_name(f"{file.name}{beside}").unlink()
    other.replace(file)
    assert _subjects(kept) == ["brought-back"]
    kept.engine.dispose()


def _subjects(database: Database) -> list[str]:
    with database.reading() as session:
        return list(session.scalars(text("SELECT subject FROM events")))


def _connection(database: Database) -> object:
    with database.engine.connect() as connection:
        return connection.connection.dbapi_connection
