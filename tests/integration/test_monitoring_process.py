"""The monitor as a real process: what it makes of a CRM that stops, and what kill -9 leaves behind."""

import http.client
import json
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

import pytest
from prometheus_client.parser import text_string_to_metric_families

from monitoring.clock import open_clock
from monitoring.ledger import Interval, Ledger, State
from monitoring.targets import Target, write_targets

INTERVAL_SECONDS = 0.2
DEADLINE_SECONDS = 30


class Page(BaseHTTPRequestHandler):
    """A CRM of two pages."""

    protocol_version = "HTTP/1.0"

    def log_message(self, *_: object) -> None:
        """Keeps the test's output quiet."""

    def do_GET(self) -> None:
        self.send_response(self.server.deep_status if self.path == "/deep" else 200)  # type: ignore[attr-defined]
        self.end_headers()
        self.wfile.write(b"Version 2.7.13")


class Crm:
    """A CRM that can be stopped and started on the same port."""

    def __init__(self) -> None:
        self.port = free_port()
        self.start()

    def start(self) -> None:
        ThreadingHTTPServer.allow_reuse_address = True
        self.server = ThreadingHTTPServer(("127.0.0.1", self.port), Page)
        self.server.deep_status = 200  # type: ignore[attr-defined]
        self.thread = Thread(target=self.server.serve_forever, args=(0.01,))
        self.thread.start()

    def break_deep(self) -> None:
        self.server.deep_status = 500  # type: ignore[attr-defined]

    def stop(self) -> None:
        self.server.shutdown()
        self.thread.join()
        self.server.server_close()


class MonitorProcess:
    """The monitor, its files and its port."""

    def __init__(self, directory: Path) -> None:
        self.targets, self.ledger = directory / "targets.json", directory / "ledger.sqlite"
        self.log, self.flag = directory / "log", directory / "maintenance.on"
        self.port = free_port()

    def start(self) -> None:
        files = ["--targets", str(self.targets), "--ledger", str(self.ledger), "--listen", f"127.0.0.1:{self.port}"]
        with self.log.open("a") as log:
            self.process = subprocess.Popen([sys.executable, "-m", "monitoring", "serve", *files], stderr=log)

    def end(self, number: signal.Signals = signal.SIGKILL) -> int:
        self.process.send_signal(number)
        return self.process.wait(timeout=5)

    def get(self, path: str) -> tuple[int, str]:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=5)
        try:
            connection.request("GET", path)
            response = connection.getresponse()
            return response.status, response.read().decode()
        except ConnectionRefusedError:
            return 0, ""
        finally:
            connection.close()

    def value(self, name: str, **labels: str) -> float:
        for family in text_string_to_metric_families(self.get("/metrics")[1]):
            for sample in family.samples:
                if sample.name == name and labels.items() <= sample.labels.items():
                    return sample.value
        return -1

    def intervals(self) -> list[Interval]:
        with Ledger(self.ledger) as ledger:
            return ledger.intervals("demo")

    def states(self) -> list[State]:
        return [interval.state for interval in self.intervals()]


def free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])


def wait_until(reached: Callable[[], bool]) -> None:
    deadline = time.monotonic() + DEADLINE_SECONDS
    while not reached():
        assert time.monotonic() < deadline, "it did not happen in time"
        time.sleep(0.05)


def target(crm: Crm, flag: Path | None = None) -> Target:
    url = f"http://127.0.0.1:{crm.port}"
    probes = {
        "live": {"kind": "http", "url": url + "/", "match": "Version 2.7.13", "timeout_seconds": 1},
        "deep": {"kind": "http", "url": url + "/deep", "timeout_seconds": 1},
    }
    facts = {"crm": "demo", "product": "sample", "release": "2.7.13", "interval_seconds": INTERVAL_SECONDS}
    return Target.model_validate(facts | {"probes": probes, "maintenance_flag": flag})


@pytest.fixture(scope="module")
def crm() -> Iterator[Crm]:
    site = Crm()
    yield site
    if site.thread.is_alive():
        site.stop()


@pytest.fixture(scope="module")
def monitor(crm: Crm, tmp_path_factory: pytest.TempPathFactory) -> Iterator[MonitorProcess]:
    process = MonitorProcess(tmp_path_factory.mktemp("monitor"))
    write_targets(process.targets, [target(crm, process.flag)])
    process.start()
    yield process
    if process.process.poll() is None:
        process.end()


@pytest.fixture
def watched(crm: Crm, monitor: MonitorProcess) -> MonitorProcess:
    """A running monitor that sees a healthy CRM; starting one takes a second, so the tests share it."""
    crm.server.deep_status = 200  # type: ignore[attr-defined]
    wait_until(lambda: monitor.states()[-1:] == [State.UP])
    return monitor


def since(monitor: MonitorProcess, number: int) -> list[Interval]:
    """The intervals from the one that was the newest when there were so many."""
    return monitor.intervals()[number - 1 :]


def test_a_stopped_crm_is_down_from_its_first_failure_on(crm: Crm, watched: MonitorProcess) -> None:
    number, outages = len(watched.states()), watched.value("appliance_outages_total", cause="live")
    stopped_at = datetime.now(UTC)
    crm.stop()
    wait_until(lambda: watched.states()[-1] is State.DOWN)
    crm.start()
    started_at = datetime.now(UTC)
    wait_until(lambda: watched.states()[-1] is State.UP)
    up, down, _ = since(watched, number)
    slack = timedelta(seconds=INTERVAL_SECONDS + 1.5)
    assert stopped_at - timedelta(seconds=0.1) <= down.started_at <= stopped_at + slack
    assert abs(down.seconds - (started_at - stopped_at).total_seconds()) <= 2 * slack.total_seconds()
    assert (down.cause, down.reason, down.start_ms) == ("live", "no connection", up.end_ms)
    assert watched.value("appliance_outages_total", cause="live") == outages + 1


def test_a_crm_that_serves_with_a_failing_deep_probe_is_degraded(crm: Crm, watched: MonitorProcess) -> None:
    outages = watched.value("appliance_outages_total", cause="live")
    crm.break_deep()
    wait_until(lambda: watched.states()[-1] is State.DEGRADED)
    assert watched.value("appliance_probe_up", target="deep") == 0
    assert watched.value("appliance_probe_up", target="service") == 1
    assert watched.value("appliance_outages_total", cause="live") == outages


def test_a_stop_under_the_maintenance_flag_is_no_outage(crm: Crm, watched: MonitorProcess) -> None:
    number = len(watched.states())
    watched.flag.touch()
    crm.stop()
    wait_until(lambda: watched.states()[-1] is State.MAINTENANCE)
    crm.start()
    watched.flag.unlink()
    wait_until(lambda: watched.states()[-1] is State.UP)
    assert [interval.state for interval in since(watched, number)] == [State.UP, State.MAINTENANCE, State.UP]


def test_kill_9_and_a_restart_keep_every_counter(watched: MonitorProcess) -> None:
    with Ledger(watched.ledger) as worker:
        worker.record_event(kind="backup", crm="demo", result="success", at=datetime.now(UTC), duration_seconds=2)
    before = counters(watched)
    watched.end()
    watched.start()
    wait_until(lambda: watched.get("/metrics")[0] == 200)
    after = counters(watched)
    assert all(after[name] >= value > 0 for name, value in before.items())
    assert after["backups"] == before["backups"]


def counters(monitor: MonitorProcess) -> dict[str, float]:
    up = monitor.value("appliance_probe_state_seconds_total", target="service", state="up")
    checks = monitor.value("appliance_probe_checks_total", target="live", result="healthy")
    backups = monitor.value("appliance_backup_runs_total", crm="demo", result="success")
    return {"up": up, "checks": checks, "backups": backups}


@pytest.mark.skipif(shutil.which("promtool") is None, reason="promtool comes with Debian's prometheus")
def test_promtool_finds_no_fault_in_the_metrics(watched: MonitorProcess) -> None:
    text = watched.get("/metrics")[1]
    checked = subprocess.run(["promtool", "check", "metrics"], input=text, capture_output=True, text=True, check=False)
    assert "appliance_probe_up{" in text
    assert (checked.returncode, checked.stdout, checked.stderr) == (0, "", "")


def test_sigterm_ends_the_monitor_within_two_seconds_and_its_absence_is_unknown(watched: MonitorProcess) -> None:
    began = time.monotonic()
    assert watched.end(signal.SIGTERM) == 0
    assert time.monotonic() - began < 2
    assert "Traceback" not in watched.log.read_text()
    number, last = len(watched.states()), watched.intervals()[-1]
    time.sleep(1)
    watched.start()
    wait_until(lambda: len(watched.states()) > number)
    up, gap, again = since(watched, number)
    assert (up.state, gap.state, again.state) == (State.UP, State.UNKNOWN, State.UP)
    assert (gap.start_ms, gap.end_ms, gap.reason) == (last.end_ms, again.start_ms, "nobody looked")
    assert 1 <= gap.seconds < DEADLINE_SECONDS
    with Ledger(watched.ledger) as ledger:
        uptime = ledger.uptime("demo", timedelta(hours=1), open_clock()())
    assert uptime.unknown_seconds >= gap.seconds
    assert (uptime.pessimistic_ratio or 1) < (uptime.observed_ratio or 0)


def test_a_broken_targets_file_changes_nothing_and_is_said(crm: Crm, watched: MonitorProcess) -> None:
    wait_until(lambda: watched.get("/healthz")[0] == 200)
    watched.targets.write_text('{"targets": [{"crm": ')
    wait_until(lambda: "JSON" in json.loads(watched.get("/healthz")[1])["problem"])
    checks = watched.value("appliance_probe_checks_total", target="live", result="healthy")
    wait_until(lambda: watched.value("appliance_probe_checks_total", target="live", result="healthy") > checks)
    assert watched.value("appliance_collect_errors_total", collector="targets") == 1
    write_targets(watched.targets, [target(crm, watched.flag)])
    wait_until(lambda: json.loads(watched.get("/healthz")[1])["problem"] == "")


def test_a_second_monitor_on_the_same_ledger_is_refused(watched: MonitorProcess) -> None:
    arguments = ["serve", "--targets", str(watched.targets), "--ledger", str(watched.ledger), "--listen", f"127.0.0.1:{free_port()}"]
    second = subprocess.run([sys.executable, "-m", "monitoring", *arguments], capture_output=True, text=True, check=False, timeout=10)
    assert second.returncode == 1
    assert "another monitor already writes" in second.stderr


def test_a_crm_that_is_watched_no_longer_leaves_the_metrics_and_returns_without_a_gap(crm: Crm, watched: MonitorProcess) -> None:
    number = len(watched.states())
    write_targets(watched.targets, [])
    wait_until(lambda: watched.value("appliance_probe_up", crm="demo") == -1)
    assert watched.value("appliance_backup_runs_total") == -1
    write_targets(watched.targets, [target(crm, watched.flag)])
    wait_until(lambda: len(watched.states()) > number)
    assert [interval.state for interval in since(watched, number)] == [State.UP, State.UP]
