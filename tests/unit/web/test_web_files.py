"""The files of a recovery point: looked at and downloaded by page and API, from a real repository."""

import io
import re
import tarfile
import tempfile
import zipfile
from collections.abc import Iterator
from dataclasses import replace
from html import unescape
from pathlib import Path
from urllib.parse import quote, unquote

import pytest

from appliance.domain.operation import OperationStatus
from tests.support.held_files import HOSTILE, POINT, fill, hold_files
from tests.support.web_world import Browser, PanelWorld, deployment, make_world

FILES, API = "/backups/sales/files", "/api/v1/instances/sales/files"


@pytest.fixture(scope="module")
def lasting_world() -> Iterator[PanelWorld]:
    with tempfile.TemporaryDirectory() as directory:
        made = make_world(Path(directory))
        hold_files(made.appliance, Path(directory) / "uploads")
        made.keep_as_it_is()
        yield made


def audited(world: PanelWorld) -> list[tuple[str, str]]:
    with world.appliance.store.database.engine.connect() as connection:
        rows = connection.exec_driver_sql("SELECT actor, subject, detail FROM audit WHERE action = 'download files'").all()
    return [(actor, detail) for actor, _, detail in rows]


def links_in(page: str) -> list[str]:
    return [unescape(link) for link in re.findall(r'href="([^"]*)" aria-label="Download ', page)]


def shown(page: str) -> str:
    """What a reader sees: the text between the tags."""
    return unescape(re.sub(r"<[^>]*>", "", page))


def test_a_page_shows_what_is_there_and_each_link_leads_to_its_file(world: PanelWorld, oscar: Browser) -> None:
    page = oscar.get(f"{FILES}?point={POINT}").text
    given = {oscar.get(link).content for link in links_in(page) if "as=zip" not in link}
    assert given == {f"in {name}".encode() for name in HOSTILE}
    assert "<img src=x" not in page
    (folder,) = re.findall(r'<a href="([^"]*)"><strong>', page)
    assert ">may</strong>" in oscar.get(f"{FILES}{unescape(folder)}").text
    assert len(audited(world)) == len(HOSTILE)


def test_a_name_that_would_move_a_cursor_or_turn_the_text_is_shown_by_its_numbers(oscar: Browser) -> None:
    page = oscar.get(FILES).text
    assert {"\u202e", "\x1b"} & set(page) == set()
    for told in ("\\u{202e}gpj.exe", "\\u{1b}[2Jé", "<img src=x onerror=alert(1)>", "a:b [red] [bold"):
        assert told in shown(page)


def test_a_download_carries_its_name_whatever_it_is(oscar: Browser) -> None:
    for name in HOSTILE:
        answer = oscar.get(f"{FILES}/download?path={quote(name, safe='')}")
        assert unquote(answer.headers["content-disposition"].partition("''")[2]) == name
        assert answer.headers["content-length"] == str(len(answer.content))
        assert (answer.headers["content-type"], answer.headers["x-content-type-options"]) == ("application/octet-stream", "nosniff")


def test_a_folder_is_downloaded_as_an_archive(oscar: Browser) -> None:
    with zipfile.ZipFile(io.BytesIO(oscar.get(f"{FILES}/download?path=2026&as=zip").content)) as zipped:
        assert any(name.endswith("may/invoice.pdf") for name in zipped.namelist())
    answer = oscar.get(f"{FILES}/download?path=")
    with tarfile.open(fileobj=io.BytesIO(answer.content)) as archive:
        assert len([one for one in archive.getnames() if not one.endswith("/")]) >= len(HOSTILE)
    assert answer.headers["content-disposition"].endswith(f"sales-{POINT}.tar")


def test_a_program_looks_and_reads_too(world: PanelWorld) -> None:
    program = world.program_of("Oscar")
    listing = program.get(API).json()
    assert (listing["point"], listing["count"], listing["next"]) == (POINT, len(HOSTILE) + 2, None)
    assert {entry["name"] for entry in listing["entries"]} >= set(HOSTILE)
    assert program.get(f"{API}/content", params={"path": "2026/may/invoice.pdf"}).content == b"an invoice"
    assert audited(world) == [("Oscar", f'{{"point": "{POINT}", "path": "2026/may/invoice.pdf", "repository": null}}')]


@pytest.mark.parametrize(
    ("path", "status"), [("nothing", 404), ("2026/none", 404), ("../password", 422), ("/etc/passwd", 422), ("link", 422), ("a/../b", 422)]
)
def test_what_is_not_among_the_uploads_is_refused_and_not_audited(world: PanelWorld, oscar: Browser, path: str, status: int) -> None:
    before = audited(world)
    assert oscar.get(f"{FILES}/download?path={quote(path, safe='')}").status_code == status
    assert world.program_of("Oscar").get(f"{API}/content", params={"path": path}).status_code == status
    assert audited(world) == before


def test_who_may_not_restore_may_not_look(world: PanelWorld, victor: Browser) -> None:
    assert {victor.get(address).status_code for address in (FILES, f"{FILES}/download?path=-rf")} == {403}
    program = world.program_of("Victor")
    assert {program.get(address).status_code for address in (API, f"{API}/content?path=-rf")} == {403}
    assert f"{FILES}?point" not in victor.get("/backups").text
    assert audited(world) == []


def test_a_point_of_another_crm_or_without_files_is_refused(oscar: Browser) -> None:
    assert oscar.get(f"{FILES}?point=never").status_code == 422
    assert oscar.get(f"{FILES}?point=sales-1").status_code == 404
    assert oscar.get("/backups/other/files").status_code == 404
    assert oscar.get(f"{FILES}?repository=nowhere").status_code == 404


def serve_from(world: PanelWorld, uploads: Path) -> None:
    serving = replace(deployment("2.7.13", "2.7"), files=str(uploads))
    world.appliance.store.instances.serve("sales", serving, previous=None)


def test_a_restore_of_files_says_first_what_would_change(world: PanelWorld, oscar: Browser, tmp_path: Path) -> None:
    fill(tmp_path)
    (tmp_path / "-rf").unlink()
    serve_from(world, tmp_path)
    page = shown(oscar.get(f"{FILES}/restore").text)
    assert f"1 files are not there now, {len(HOSTILE) + 1} are others now" in page
    assert "\\u{202e}gpj.exe" in page
    comparison = world.program_of("Oscar").get(f"{API}/comparison", params={"path": "-rf"}).json()
    assert (comparison["new"], comparison["named"]["new"], comparison["bytes"]) == (1, ["-rf"], 6)


def test_files_are_restored_in_place_only_when_the_name_was_typed(world: PanelWorld, oscar: Browser, tmp_path: Path) -> None:
    serve_from(world, tmp_path)
    address = f"{FILES}/restore?path={quote(HOSTILE[0], safe='')}"
    refused = oscar.post(address, {"way": "in_place", "confirmation": "other"})
    assert (refused.status_code, world.operations()) == (422, [])
    for way, beside in (("beside", True), ("in_place", False)):
        answer = oscar.post(address, {"way": way, "confirmation": "" if beside else "sales"})
        operation = world.operations()[0]
        assert (answer.status_code, operation.kind, operation.instance) == (303, "restore-files", "sales")
        assert operation.parameters == {"point": POINT, "paths": [HOSTILE[0]], "beside": beside, "repository": None}
        world.appliance.store.operations.finish(operation.id, OperationStatus.SUCCEEDED, now=world.moment)


@pytest.mark.parametrize(
    ("wanted", "status"),
    [
        ({"paths": []}, 422),
        ({"paths": ["../x"]}, 422),
        ({"paths": ["x"], "point": "never"}, 422),
        ({"paths": ["x"], "point": "sales-1"}, 404),
    ],
)
def test_a_program_is_refused_what_cannot_be_restored(world: PanelWorld, tmp_path: Path, wanted: dict[str, object], status: int) -> None:
    serve_from(world, tmp_path)
    answer = world.program_of("Oscar").post("/api/v1/operations", json={"kind": "restore-files", "instance": "sales", "parameters": wanted})
    assert (answer.status_code, world.operations()) == (status, [])
    assert "Nothing was changed" in answer.json()["detail"]


def test_a_point_without_a_dump_holds_no_tables(world: PanelWorld, oscar: Browser) -> None:
    assert (oscar.get("/backups/sales/tables").status_code, oscar.get("/backups/sales/tables?point=never").status_code) == (404, 422)
    answer = world.program_of("Oscar").get("/api/v1/instances/sales/tables")
    assert (answer.status_code, "holds no dump" in answer.json()["detail"]) == (404, True)
    assert "/backups/sales/tables" not in oscar.get(FILES).text


def test_what_a_restore_in_place_would_lose_is_shown_before_it_is_requested(world: PanelWorld, oscar: Browser) -> None:
    assert "What would be lost?" in oscar.get("/instances/sales/restore").text
    page = shown(oscar.post("/instances/sales/restore/loss", {"point": POINT, "only": "files"}).text)
    told = world.program_of("Oscar").get(f"/api/v1/instances/sales/loss?point={POINT}").json()
    files = told["files"]
    assert f"{files['gone']} files would be gone, {files['changed']} become what they were, {files['new']} come back" in page
    assert files["new"] + files["changed"] + files["same"] >= len(HOSTILE)
    assert "Records: could not be counted" in page, "there is no database behind this world"
    assert told["records"].startswith("could not be counted")
    assert world.operations() == []
    assert oscar.post("/instances/sales/restore/loss", {"point": "never"}).status_code == 422
