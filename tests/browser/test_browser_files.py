"""Somebody looks for a file in a recovery point and downloads it; who goes away in the middle leaves nothing running."""

import http.client
import os
import time
from pathlib import Path

from playwright.sync_api import expect

from appliance.wiring import Appliance
from tests.browser.conftest import PHONE, Visitor
from tests.browser.test_browser_accessibility import offences
from tests.support.held_files import HOSTILE, POINT, hold_files
from tests.support.running_panel import RunningPanel

LARGE_BYTES = 64 * 1024 * 1024


def test_a_file_is_found_and_downloaded(appliance: Appliance, visitor: Visitor, tmp_path: Path) -> None:
    hold_files(appliance, tmp_path / "uploads")
    visitor.log_in("Oscar")
    visitor.go("/backups")
    page = visitor.page
    page.get_by_role("link", name="Files", exact=True).click()
    expect(page.get_by_text("<img src=x onerror=alert(1)>")).to_be_visible()
    visitor.picture("files")
    assert offences(visitor) == []
    page.set_viewport_size(PHONE)
    assert page.evaluate("document.documentElement.scrollWidth") == PHONE["width"]
    page.get_by_role("link", name="2026/").click()
    page.get_by_role("link", name="may/").click()
    with page.expect_download() as download:
        page.get_by_role("link", name="Download invoice.pdf").click()
    assert (download.value.suggested_filename, download.value.path().read_text()) == ("invoice.pdf", "an invoice")
    page.get_by_role("link", name="All files").click()
    with page.expect_download() as download:
        page.get_by_role("link", name="Download -rf").click()
    assert download.value.path().read_text() == "in -rf"
    with page.expect_download() as download:
        page.get_by_role("link", name="Download this folder").click()
    assert download.value.suggested_filename == f"sales-{POINT}.zip"
    assert download.value.path().stat().st_size > sum(len(name) for name in HOSTILE)


def test_who_goes_away_in_the_middle_leaves_nothing_running(appliance: Appliance, panel: RunningPanel, tmp_path: Path) -> None:
    uploads = tmp_path / "uploads"
    uploads.mkdir()
    (uploads / "large").write_bytes(os.urandom(LARGE_BYTES))
    hold_files(appliance, uploads)
    token = appliance.store.tokens.issue(name="reader", user="Oscar", by="root", now=appliance.store.points.list("sales")[0].at)
    assert panel.process is not None
    before_bytes = resident_bytes(panel.process.pid)
    connection = http.client.HTTPConnection(panel.url.removeprefix("http://"), timeout=60)
    connection.request("GET", "/api/v1/instances/sales/files/content?path=large", headers={"Authorization": f"Bearer {token}"})
    answer = connection.getresponse()
    assert (answer.status, answer.headers["content-length"], len(answer.read(4096))) == (200, str(LARGE_BYTES), 4096)
    readers = children_of(panel.process.pid)
    assert [len(readers), len(children_of(readers[0]))] == [1, 1]
    time.sleep(1)  # nobody reads on; what the panel holds of it is a few pieces
    held_bytes = resident_bytes(panel.process.pid) - before_bytes
    connection.close()
    answer.close()
    wait_until_gone(panel.process.pid)
    assert held_bytes < LARGE_BYTES / 2


def wait_until_gone(pid: int) -> None:
    deadline = time.monotonic() + 20
    while children_of(pid):
        assert time.monotonic() < deadline, children_of(pid)
        time.sleep(0.05)


def children_of(pid: int) -> list[int]:
    tasks = Path(f"/proc/{pid}/task").glob("*/children")
    return [int(word) for task in tasks for word in task.read_text().split()]


def resident_bytes(pid: int) -> int:
    return int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")
