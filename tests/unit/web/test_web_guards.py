"""Headers, files, health, and what happens when something breaks."""

import fcntl
import gzip
import re
from datetime import UTC, datetime, timedelta

import pytest

from appliance.domain.measures import duration, size
from appliance.web.formats import ago
from tests.support.web_world import Browser, PanelWorld, run_operation

NOW = datetime(2026, 3, 2, 12, tzinfo=UTC)


@pytest.mark.parametrize("address", ["/login", "/", "/nothing", "/api/v1/instances", "/healthz"])
def test_every_answer_carries_the_guarding_headers(alice: Browser, address: str) -> None:
    headers = alice.get(address).headers
    assert headers["content-security-policy"].startswith("default-src 'self'; img-src 'self' data:;")
    assert (headers["x-content-type-options"], headers["x-frame-options"], headers["cache-control"]) == ("nosniff", "DENY", "no-store")


@pytest.mark.parametrize(
    "address", ["/login", "/", "/instances/sales", "/install", "/operations/1", "/backups", "/instances/sales/restore"]
)
def test_no_page_holds_a_script_or_a_style_of_its_own(world: PanelWorld, alice: Browser, address: str) -> None:
    run_operation(world.appliance)
    page = alice.get(address).text
    assert re.findall(r"<script(?![^>]* src=)|<style|\sstyle=|\son\w+=|javascript:", page) == []


def test_files_are_kept_for_ever_under_the_hash_of_their_content(mallory: Browser) -> None:
    page = mallory.get("/login").text
    addresses = re.findall(r'(?:src|href)="(/assets/[^"]+)"', page)
    answers = [mallory.get(address) for address in addresses]
    assert len(addresses) >= 6
    assert {(answer.status_code, "immutable" in answer.headers["cache-control"]) for answer in answers} == {(200, True)}


def test_another_hash_is_another_file(mallory: Browser) -> None:
    assert mallory.get("/assets/0123456789abcdef/panel.css").status_code == 404


def test_the_first_page_loads_little(world: PanelWorld) -> None:
    loaded = [asset.compressed for asset in world.app.state.panel.assets.by_name.values()]
    assert sum(map(len, loaded)) < 150_000
    assert all(gzip.decompress(asset.compressed) == asset.content for asset in world.app.state.panel.assets.by_name.values())


def test_a_body_that_is_too_long_is_not_read(alice: Browser) -> None:
    answer = alice.post("/install", {"name": "x" * 1_000_000})
    assert answer.status_code == 413


def test_a_program_is_told_in_its_way_that_its_request_is_too_long(world: PanelWorld) -> None:
    answer = world.program_of("Alice").post("/api/v1/operations", json={"kind": "x" * 1_000_000})
    told = (answer.status_code, answer.headers["content-type"], answer.json()["title"])
    assert told == (413, "application/problem+json", "Request Entity Too Large")
    assert "Nothing was changed" in answer.json()["detail"]


def test_a_program_is_told_that_it_has_to_say_how_long_its_request_is(world: PanelWorld) -> None:
    answer = world.program_of("Alice").post("/api/v1/operations", content=iter([b"{}"]))
    assert (answer.status_code, answer.headers["content-type"]) == (411, "application/problem+json")


def test_the_panel_is_alive_but_not_ready_without_a_worker(world: PanelWorld, mallory: Browser) -> None:
    assert mallory.get("/healthz").json() == {"status": "alive"}
    answer = mallory.get("/readyz")
    assert (answer.status_code, answer.json()) == (503, {"store": True, "worker": False})
    assert world.operations() == []


def test_the_panel_is_ready_while_a_worker_lives(world: PanelWorld, mallory: Browser) -> None:
    lock_file = world.appliance.settings.worker_lock
    lock_file.parent.mkdir(parents=True, exist_ok=True)
    with lock_file.open("a") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        assert mallory.get("/readyz").status_code == 200


def test_a_defect_is_told_without_its_innards(world: PanelWorld, alice: Browser) -> None:
    world.appliance.settings.database_file.write_bytes(b"this is no database" * 1000)
    answer = alice.get("/operations")
    assert (answer.status_code, "Running operations go on" in answer.text, "sqlite" in answer.text.lower()) == (500, True, False)
    assert world.browser_of("Mallory").get("/readyz").json()["store"] is False


@pytest.mark.parametrize(
    ("seconds", "told"),
    [
        (0, "just now"),
        (59, "59 seconds ago"),
        (60, "1 minute ago"),
        (7200, "2 hours ago"),
        (86_400 * 3, "3 days ago"),
        (-3600, "in 1 h 0 min"),
        (-86_400 * 5, "in 5 days"),
    ],
)
def test_moments_are_told_in_the_largest_unit(seconds: int, told: str) -> None:
    assert ago(NOW - timedelta(seconds=seconds), NOW) == told


def test_durations_and_sizes_are_told_shortly() -> None:
    assert [duration(timedelta(seconds=value)) for value in (0.42, 12, 200, 7500)] == ["0.4 s", "12 s", "3 min 20 s", "2 h 5 min"]
    assert [size(value) for value in (12, 2048, 3_500_000, 250_000_000, 5 * 1024**4)] == [
        "12 B",
        "2.0 KiB",
        "3.3 MiB",
        "238 MiB",
        "5.0 TiB",
    ]
