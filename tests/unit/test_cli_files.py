"""The files of a recovery point by the command line, from a real repository."""

import json
import zipfile
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from appliance.cli import app
from appliance.errors import InvalidRequest, NotFound
from appliance.wiring import Appliance
from tests.support.held_files import HOSTILE, POINT, hold_files
from tests.support.operating import make_appliance
from tests.support.web_world import add_sales


@pytest.fixture(scope="module")
def appliance(tmp_path_factory: pytest.TempPathFactory) -> Appliance:
    directory = tmp_path_factory.mktemp("files")
    made = make_appliance(directory)
    add_sales(made)
    hold_files(made, directory / "uploads")
    return made


@pytest.fixture(autouse=True)
def by_default(appliance: Appliance, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("APPLIANCE_CONFIG", "/nonexistent")
    monkeypatch.setenv("APPLIANCE_HOME", str(appliance.settings.home))


def run(*argv: str) -> Result:
    return CliRunner().invoke(app, ["files", "sales", *argv], catch_exceptions=False)


def test_names_do_nothing_to_a_terminal() -> None:
    said = run().stdout
    assert {"\x1b", "\u202e"} & set(said) == set()
    for told in ("\\u{202e}gpj.exe", "a:b [red] [bold", "2026/", "-rf"):
        assert told in said


def test_a_program_gets_them_as_they_are() -> None:
    told = json.loads(run("--json").stdout)
    assert {entry["name"] for entry in told["entries"]} == {*HOSTILE, "2026", "link"}
    assert told["point"]["id"] == POINT
    (entry,) = json.loads(run("2026/may", "--json").stdout)["entries"]
    assert (entry["name"], entry["kind"], entry["size"]) == ("invoice.pdf", "file", 10)


def test_a_file_or_a_folder_is_written_into_a_new_file(tmp_path: Path) -> None:
    for name in HOSTILE:
        target = tmp_path / "copy"
        run("--output", str(target), "--", name)
        assert (target.read_text(), target.stat().st_mode & 0o777) == (f"in {name}", 0o600)
        target.unlink()
    assert "bytes are in" in run("2026", "--zip", "--output", str(tmp_path / "folder.zip")).stdout
    with zipfile.ZipFile(tmp_path / "folder.zip") as zipped:
        assert any(name.endswith("may/invoice.pdf") for name in zipped.namelist())
    assert run("2026/may/invoice.pdf", "--output", "-").stdout_bytes == b"an invoice"


def test_what_is_there_already_is_left_as_it_is(tmp_path: Path) -> None:
    taken, part = tmp_path / "taken", tmp_path / "other.part"
    for file in (taken, part):
        file.write_text("mine")
    with pytest.raises(InvalidRequest, match="is there already"):
        run("2026", "--output", str(taken))
    with pytest.raises(InvalidRequest, match="cannot be written"):
        run("2026", "--output", str(tmp_path / "other"))
    assert [taken.read_text(), part.read_text(), sorted(tmp_path.iterdir())] == ["mine", "mine", sorted([taken, part])]


def test_what_is_not_held_leaves_no_file(tmp_path: Path) -> None:
    for path, error in (("none", NotFound), ("../x", InvalidRequest), ("link", InvalidRequest)):
        with pytest.raises(error):
            run(path, "--output", str(tmp_path / "copy"))
    assert list(tmp_path.iterdir()) == []
