"""A real browser and a panel that runs as a process of its own, over a store that the tests can write to as the worker would."""

import os
import shutil
import sqlite3
import tempfile
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

import pytest
from playwright.sync_api import Browser, ConsoleMessage, Page, ViewportSize, expect, sync_playwright

from appliance.web.sessions import SESSION_COOKIE
from appliance.wiring import Appliance
from tests.support.operating import make_appliance
from tests.support.running_panel import RunningPanel, running_panel
from tests.support.web_world import PASSWORD, add_people, add_sales

CHROMIUM = Path("/usr/bin/chromium")
ARGUMENTS = [
    "--no-sandbox",
    "--disable-quic",
    "--disable-background-networking",
    "--no-first-run",
    "--disable-sync",
    "--disable-component-update",
]
DESKTOP: ViewportSize = {"width": 1280, "height": 800}
PHONE: ViewportSize = {"width": 390, "height": 844}
ANSWER_MS = 60_000
expect.set_options(timeout=20_000)  # a machine that is busy with something else is slow, not wrong


@dataclass(kw_only=True)
class Visitor:
    """Somebody at a browser window; what the browser complains of is kept, and what of it is expected is forgiven at the end."""

    page: Page
    url: str
    complaints: list[str] = field(default_factory=list)
    forgiven: tuple[str, ...] = ()

    def go(self, address: str) -> None:
        """Open a page of the panel."""
        self.page.goto(f"{self.url}{address}")

    def leave(self) -> None:
        """Close what is open, so that no page asks the panel for anything any more."""
        self.page.goto("about:blank")

    def log_in(self, name: str = "Alice", password: str = PASSWORD) -> None:
        """Log in by the form."""
        self.go("/login")
        self.page.get_by_label("Name").fill(name)
        self.page.get_by_label("Password").fill(password)
        self.page.get_by_role("button", name="Log in", exact=True).click()
        self.page.wait_for_url(lambda address: not address.endswith("/login"))

    def enter(self, appliance: Appliance, name: str = "Alice") -> None:
        """Be logged in without having seen the form, which has tests of its own."""
        token, _ = appliance.store.access.open_session(name, now=datetime.now(UTC))
        self.page.context.add_cookies([{"name": SESSION_COOKIE, "value": token, "url": self.url}])

    def picture(self, name: str) -> None:
        """Keep a screenshot of the whole page, if somebody wants to look: APPLIANCE_SCREENSHOTS names the directory."""
        if directory := os.environ.get("APPLIANCE_SCREENSHOTS"):
            self.page.screenshot(path=Path(directory) / f"{name}.png", full_page=True)

    def hear(self, message: ConsoleMessage) -> None:
        """Keep what the browser complains of; a refused script or style is among it."""
        if message.type in ("error", "warning"):
            self.complaints.append(message.text)

    def unexpected_complaints(self) -> list[str]:
        """What the browser complained of and nobody foresaw."""
        return [told for told in self.complaints if not any(part in told for part in self.forgiven)]


@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    """For one file: as long as it is there, nothing else in this process can have an event loop of its own."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS)
        yield browser
        browser.close()


@dataclass(kw_only=True)
class House:
    """An appliance and its panel, for all tests of a file; each of them finds it as it was at the beginning."""

    appliance: Appliance
    panel: RunningPanel
    pristine: Path

    def reset(self) -> None:
        """The panel may run on: the store is written anew in one transaction of SQLite's own."""
        with closing(sqlite3.connect(self.pristine)) as source, closing(sqlite3.connect(self.appliance.settings.database_file)) as store:
            source.backup(store)
        settings = self.appliance.settings
        for directory in (settings.ledger_file.parent, settings.repository_directory, settings.run):
            shutil.rmtree(directory, ignore_errors=True)


@pytest.fixture(scope="module")
def shared() -> Iterator[House]:
    in_memory = Path("/dev/shm")  # the store waits for the disk at each write
    with tempfile.TemporaryDirectory(prefix="appliance-browser-", dir=in_memory if in_memory.is_dir() else None) as place:
        appliance = make_appliance(Path(place))
        add_people(appliance)
        add_sales(appliance)
        pristine = Path(place) / "pristine.sqlite"
        with closing(sqlite3.connect(appliance.settings.database_file)) as store, closing(sqlite3.connect(pristine)) as kept:
            store.backup(kept)
        made = House(appliance=appliance, panel=running_panel(appliance), pristine=pristine)
        yield made
        made.panel.stop()


@pytest.fixture
def appliance(shared: House) -> Appliance:
    shared.reset()
    return shared.appliance


@pytest.fixture
def panel(shared: House, appliance: Appliance) -> RunningPanel:
    """It runs already, unless this is the first test of the file or the last one has ended it."""
    del appliance
    if not shared.panel.is_running:
        shared.panel.start()
    return shared.panel


@pytest.fixture
def visitor(chromium: Browser, panel: RunningPanel) -> Iterator[Visitor]:
    with chromium.new_context(viewport=DESKTOP) as context:
        context.set_default_timeout(ANSWER_MS)
        visitor = Visitor(page=context.new_page(), url=panel.url)
        visitor.page.on("console", visitor.hear)
        visitor.page.on("pageerror", lambda error: visitor.complaints.append(str(error)))
        yield visitor
    assert visitor.unexpected_complaints() == []
