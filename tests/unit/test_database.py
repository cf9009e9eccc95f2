"""The store's file is brought up to date, whoever opens it and whatever else is opened at the same time."""

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from appliance.store.database import is_current, open_database


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
