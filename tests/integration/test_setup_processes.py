"""Panel, worker and monitor under a real supervisord; the three programs are small stand-ins that answer like the real ones."""

import os
import signal
import socket
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from appliance.config import Settings
from appliance.errors import StepFailed
from appliance.setup import processes
from appliance.setup.supervision import Supervisord

NAMES = ["appliance-panel", "appliance-worker", "appliance-monitor"]
STAND_IN = """#!{python}
import http.server, os, sys, time
class Answer(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200)
        self.end_headers()
    def log_message(self, *words):
        pass
port = dict(serve="{panel}", monitor="{monitor}").get(sys.argv[1])
while not port:
    time.sleep(60)
http.server.ThreadingHTTPServer.allow_reuse_address = True
http.server.ThreadingHTTPServer(("127.0.0.1", int(port)), Answer).serve_forever()
"""


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@pytest.fixture
def settings(tmp_path: Path) -> Iterator[Settings]:
    made = Settings(
        home=tmp_path / "home",
        etc=tmp_path / "etc",
        log=tmp_path / "log",
        panel_listen=f"127.0.0.1:{free_port()}",
        monitor_listen=f"127.0.0.1:{free_port()}",
        service_manager="supervisord",
    )
    yield made
    processes.stop(made)


@pytest.fixture
def bin_directory(tmp_path: Path, settings: Settings) -> Path:
    command = tmp_path / "bin" / "appliance"
    command.parent.mkdir()
    panel, monitor = (listen.rpartition(":")[2] for listen in (settings.panel_listen, settings.monitor_listen))
    command.write_text(STAND_IN.format(python=sys.executable, panel=panel, monitor=monitor))
    command.chmod(0o755)
    return command.parent


def supervisord_pid(settings: Settings) -> int:
    return int((settings.home / "run" / "supervisord.pid").read_text())


def test_all_processes_run_after_the_first_start(settings: Settings, bin_directory: Path) -> None:
    assert processes.start(settings, {}, bin_directory) == NAMES
    assert [(status.name, status.is_up) for status in processes.status(settings)] == [(name, True) for name in NAMES]


def test_a_second_start_leaves_running_processes_alone(settings: Settings, bin_directory: Path) -> None:
    processes.start(settings, {}, bin_directory)
    pid = supervisord_pid(settings)
    assert processes.start(settings, {}, bin_directory) == []
    assert supervisord_pid(settings) == pid


def test_changed_variables_restart_the_processes_that_read_them(settings: Settings, bin_directory: Path) -> None:
    processes.start(settings, {}, bin_directory)
    assert processes.start(settings, {"HTTPS_PROXY": "http://127.0.0.1:3142"}, bin_directory) == NAMES


def test_a_process_that_was_stopped_is_started_again_alone(settings: Settings, bin_directory: Path) -> None:
    processes.start(settings, {}, bin_directory)
    Supervisord(settings=settings)._call("stopProcess", "appliance-worker", True)
    assert processes.start(settings, {}, bin_directory) == ["appliance-worker"]


def test_everything_comes_back_after_supervisord_was_killed(settings: Settings, bin_directory: Path) -> None:
    processes.start(settings, {}, bin_directory)
    os.kill(supervisord_pid(settings), signal.SIGKILL)
    deadline = time.monotonic() + 10
    while Supervisord(settings=settings).is_alive() and time.monotonic() < deadline:
        time.sleep(0.05)
    assert processes.start(settings, {}, bin_directory) == NAMES
    assert all(status.is_up for status in processes.status(settings))


def test_a_program_that_ends_at_once_is_named_with_what_it_said(settings: Settings, bin_directory: Path) -> None:
    (bin_directory / "appliance").write_text("#!/bin/sh\necho the key file is missing\nexit 1\n")
    with pytest.raises(StepFailed, match=r"appliance-panel does not run(.|\n)*the key file is missing"):
        processes.start(settings, {}, bin_directory, patience_seconds=3)
