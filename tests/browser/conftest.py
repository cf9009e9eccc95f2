"""A real browser and a panel that runs as a process of its own, over a store that the tests can write to as the worker would."""

import contextlib
import os
import secrets
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from playwright.sync_api import Browser, ConsoleMessage, Page, ViewportSize, expect, sync_playwright

from appliance.config import Settings
from appliance.wiring import Appliance
from tests.support.operating import make_appliance
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
PATIENCE_SECONDS = 60
ANSWER_MS = 60_000
PORTS = range(21000, 29000)
"""Below those that the system gives to outgoing connections, one of which could take the port of a panel that is started again."""

expect.set_options(timeout=20_000)  # a machine that is busy with something else is slow, not wrong


@dataclass(kw_only=True)
class RunningPanel:
    """The panel as `appliance serve` runs it."""

    settings: Settings
    url: str
    process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Start it and wait until it answers."""
        given = {f"APPLIANCE_{name.upper()}": str(value) for name, value in self.settings.model_dump().items()}
        environment = {**os.environ, **given, "APPLIANCE_CONFIG": "/nonexistent"}
        program = [sys.executable, "-c", "from appliance.cli import main; main()", "serve"]
        self.process = subprocess.Popen(program, env=environment)
        deadline = time.monotonic() + PATIENCE_SECONDS
        while not self._answers():
            assert self.process.poll() is None, "the panel ended"
            assert time.monotonic() < deadline, "the panel does not answer"
            time.sleep(0.05)

    def stop(self) -> None:
        """End it without grace, as a crash would."""
        if self.process is not None:
            self.process.kill()
            self.process.wait()

    def _answers(self) -> bool:
        try:
            with urllib.request.urlopen(f"{self.url}/healthz", timeout=1) as answer:  # noqa: S310 - an address of ours
                return bool(answer.status == 200)
        except OSError:
            return False


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
        self.page.get_by_role("button", name="Log in").click()
        self.page.wait_for_url(lambda address: not address.endswith("/login"))

    def picture(self, name: str) -> None:
        """Keep a screenshot, if somebody wants to look: APPLIANCE_SCREENSHOTS names the directory."""
        if directory := os.environ.get("APPLIANCE_SCREENSHOTS"):
            self.page.screenshot(path=Path(directory) / f"{name}.png")

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


def free_port() -> int:
    while True:
        port = secrets.choice(PORTS)
        with socket.socket() as probe, contextlib.suppress(OSError):
            probe.bind(("127.0.0.1", port))
            return port


def running_panel(appliance: Appliance) -> RunningPanel:
    """The panel of an appliance, not started yet, on a port of its own."""
    listen = f"127.0.0.1:{free_port()}"
    return RunningPanel(settings=appliance.settings.model_copy(update={"panel_listen": listen}), url=f"http://{listen}")


@pytest.fixture
def appliance(tmp_path: Path) -> Appliance:
    appliance = make_appliance(tmp_path)
    add_people(appliance)
    add_sales(appliance)
    return appliance


@pytest.fixture
def panel(appliance: Appliance) -> Iterator[RunningPanel]:
    panel = running_panel(appliance)
    panel.start()
    yield panel
    panel.stop()


@pytest.fixture
def visitor(chromium: Browser, panel: RunningPanel) -> Iterator[Visitor]:
    with chromium.new_context(viewport=DESKTOP) as context:
        context.set_default_timeout(ANSWER_MS)
        visitor = Visitor(page=context.new_page(), url=panel.url)
        visitor.page.on("console", visitor.hear)
        visitor.page.on("pageerror", lambda error: visitor.complaints.append(str(error)))
        yield visitor
    assert visitor.unexpected_complaints() == []
