"""The monitor as a process, and a CRM of two pages for it to watch."""

import http.client
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

from prometheus_client.parser import text_string_to_metric_families

from monitoring.ledger import Interval, Ledger, State
from monitoring.targets import Target
from tests.support.receivers import free_port

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

    def start(self, *, within: Sequence[str] = (), environment: Mapping[str, str] | None = None, options: Sequence[str] = ()) -> None:
        """Within a command that starts it, if given."""
        files = ["--targets", str(self.targets), "--ledger", str(self.ledger), "--listen", f"127.0.0.1:{self.port}"]
        argv = [*within, sys.executable, "-m", "monitoring", "serve", *files, *options]
        with self.log.open("a") as log:
            self.process = subprocess.Popen(argv, stderr=log, env={**os.environ, **(environment or {})})

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

    def newest_end_ms(self) -> int:
        """Up to where the newest interval goes by now; 0 before the first."""
        found = self.intervals()
        return found[-1].end_ms if found else 0

    def states(self) -> list[State]:
        return [interval.state for interval in self.intervals()]


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
