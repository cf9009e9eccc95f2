"""A thousand pages of one real nginx, asked every ten seconds by one core: by our monitor, and by Prometheus with its blackbox exporter."""

import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from functools import cache
from itertools import pairwise
from pathlib import Path
from statistics import quantiles
from typing import Any

import psutil

from benchmarks.figure import MeasureFailed, Say
from benchmarks.waiting import wait_until
from monitoring.targets import Target, write_targets

CRMS = 1000
INTERVAL_SECONDS = 10.0
TIMEOUT_SECONDS = 5.0
WARM_UP_SECONDS = 25
WATCHED_SECONDS = 60
PATIENCE_SECONDS = 60
PAGE = "Version 2.7.13"
NGINX = """
worker_processes 1; worker_rlimit_nofile 8192; daemon off; pid {place}/nginx.pid; error_log {place}/nginx.log;
events {{ worker_connections 4096; }}
http {{
  log_format asked '$msec $uri';
  access_log {place}/asked.log asked;
  client_body_temp_path {place}/body; proxy_temp_path {place}/proxy; fastcgi_temp_path {place}/fastcgi;
  uwsgi_temp_path {place}/uwsgi; scgi_temp_path {place}/scgi;
  server {{ listen 127.0.0.1:{port} backlog=4096; location / {{ return 200 "{page}"; }} }}
}}
"""
BLACKBOX = """
modules:
  page:
    prober: http
    timeout: 5s
    http: {{preferred_ip_protocol: ip4, valid_status_codes: [200], fail_if_body_not_matches_regexp: ["{page}"]}}
"""
PROMETHEUS = """
global: {{scrape_interval: {interval:g}s, scrape_timeout: 6s}}
scrape_configs:
  - job_name: pages
    metrics_path: /probe
    params: {{module: [page]}}
    file_sd_configs: [{{files: ["{place}/pages.json"]}}]
    relabel_configs:
      - {{source_labels: [__address__], target_label: __param_target}}
      - {{source_labels: [__param_target], target_label: page}}
      - {{target_label: __address__, replacement: "127.0.0.1:{blackbox}"}}
"""
_BEFORE_OTHERS = ["nice", "-n", "-20"] if os.geteuid() == 0 else []
DEBIAN = {"nginx": "nginx", "prometheus": "prometheus", "prometheus-blackbox-exporter": "prometheus-blackbox-exporter"}


@dataclass(frozen=True, kw_only=True)
class Spent:
    """What it took to ask all pages every time: a core's share in percent, seconds that each question came late, memory."""

    cpu_percent: float
    late_seconds: tuple[float, ...]
    memory_mib: float
    by_program: Mapping[str, float]

    @property
    def late_p99_seconds(self) -> float:
        """All but one in a hundred questions came no later."""
        return quantiles(self.late_seconds, n=100)[98]


@dataclass(frozen=True, kw_only=True)
class Probing:
    """Ours, and the reference."""

    ours: Spent
    reference: Spent


@cache
def measured(say: Say) -> Probing:
    """Measure both, one after the other, once in a process. Raises MeasureFailed."""
    with tempfile.TemporaryDirectory(prefix="benchmark-probing-") as name:
        place = Path(name)
        with pages(place) as port:
            say("our monitor")
            with monitor(place, port) as processes:
                ours = _watched(place, processes)
            say(f"{ours.cpu_percent:.1f} % of a core, 99 of 100 at most {ours.late_p99_seconds:.3f} s late")
            say("Prometheus and its blackbox exporter")
            with _prometheus(place, port) as processes:
                reference = _watched(place, processes)
            say(f"{reference.cpu_percent:.1f} % of a core, 99 of 100 at most {reference.late_p99_seconds:.3f} s late")
    return Probing(ours=ours, reference=reference)


def program(name: str) -> str:
    """Where a program of Debian is. Raises MeasureFailed that names its package."""
    found = shutil.which(name, path=f"{os.environ.get('PATH', '')}:/usr/sbin:/sbin")
    if found is None:
        raise MeasureFailed(f"There is no {name}. Install it: apt-get install {DEBIAN[name]}")
    return found


@contextmanager
def pages(place: Path) -> Iterator[int]:
    """An nginx on the first core, and its port."""
    with a_server(place) as (_, port):
        yield port


@contextmanager
def a_server(place: Path) -> Iterator[tuple[psutil.Process, int]]:
    """The same, as a process, too; its files are in that place."""
    port = free_port()
    place.mkdir(exist_ok=True)
    (place / "nginx.conf").write_text(NGINX.format(place=place, port=port, page=PAGE))
    with running(
        {"nginx": [program("nginx"), "-c", str(place / "nginx.conf"), "-e", str(place / "nginx.log")]}, core=min, place=place
    ) as found:
        wait_until((place / "asked.log").exists, seconds=PATIENCE_SECONDS, what="nginx")
        yield found["nginx"], port


@contextmanager
def monitor(place: Path, *ports: int) -> Iterator[dict[str, psutil.Process]]:
    """Our monitor on the last core, which watches pages of these servers in turn; its ledger is ledger.sqlite in that place."""
    write_targets(place / "targets.json", [_target(f"crm-{number:04}", ports[number % len(ports)]) for number in range(CRMS)])
    files = ["--targets", str(place / "targets.json"), "--ledger", str(place / "ledger.sqlite")]
    argv = [sys.executable, "-m", "monitoring", "serve", *files, "--listen", f"127.0.0.1:{free_port()}"]
    with running({"monitor": argv}, core=max, place=place) as processes:
        yield processes


def _target(crm: str, port: int) -> Target:
    live = {"kind": "http", "url": f"http://127.0.0.1:{port}/{crm}", "match": PAGE, "timeout_seconds": TIMEOUT_SECONDS}
    facts: dict[str, Any] = {"crm": crm, "product": "sample", "release": "1", "interval_seconds": INTERVAL_SECONDS}
    return Target.model_validate(facts | {"probes": {"live": live}})


@contextmanager
def _prometheus(place: Path, port: int) -> Iterator[dict[str, psutil.Process]]:
    blackbox, own = free_port(), free_port()
    urls = ", ".join(f'"http://127.0.0.1:{port}/crm-{number:04}"' for number in range(CRMS))
    (place / "pages.json").write_text(f'[{{"targets": [{urls}]}}]')
    (place / "blackbox.yml").write_text(BLACKBOX.format(page=PAGE))
    (place / "prometheus.yml").write_text(PROMETHEUS.format(interval=INTERVAL_SECONDS, place=place, blackbox=blackbox))
    commands = {
        "blackbox": [
            program("prometheus-blackbox-exporter"),
            f"--config.file={place}/blackbox.yml",
            f"--web.listen-address=127.0.0.1:{blackbox}",
            "--log.level=error",
        ],
        "prometheus": [
            program("prometheus"),
            f"--config.file={place}/prometheus.yml",
            f"--storage.tsdb.path={place}/tsdb",
            f"--web.listen-address=127.0.0.1:{own}",
            "--log.level=error",
        ],
    }
    with running(commands, core=max, place=place) as processes:
        yield processes


@contextmanager
def running(commands: Mapping[str, Sequence[str]], *, core: Callable[[set[int]], int], place: Path) -> Iterator[dict[str, psutil.Process]]:
    """Programs on one core, each by its name, before whatever else the machine does; they are ended with what they started."""
    kept = core(os.sched_getaffinity(0))
    started: dict[str, subprocess.Popen[bytes]] = {}
    try:
        for name, argv in commands.items():
            with (place / f"{name}.out").open("ab") as out:
                command = [*_BEFORE_OTHERS, "taskset", "-c", str(kept), *argv]
                started[name] = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=out, stderr=out, start_new_session=True)
        yield {name: psutil.Process(process.pid) for name, process in started.items()}
        for name, process in started.items():
            if process.poll() not in {None, -signal.SIGKILL}:
                said = (place / f"{name}.out").read_text(errors="replace")[-1000:]
                raise MeasureFailed(f"{name} ended by itself with {process.returncode}: {said}")
    finally:
        for process in started.values():
            with suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            process.wait()


def _watched(place: Path, processes: Mapping[str, psutil.Process]) -> Spent:
    """Let them work for a while, and look for another while what that takes."""
    log = place / "asked.log"
    asked_before = log.stat().st_size
    wait_until(lambda: log.stat().st_size > asked_before, seconds=PATIENCE_SECONDS, what="the first question")
    time.sleep(WARM_UP_SECONDS)
    offset, before, began = log.stat().st_size, {name: _spent(each) for name, each in processes.items()}, time.monotonic()
    time.sleep(WATCHED_SECONDS)
    elapsed = time.monotonic() - began
    shares = {name: (_spent(each) - before[name]) / elapsed * 100 for name, each in processes.items()}
    memory = sum(_memory_bytes(each) for each in processes.values()) / 1024**2
    with log.open() as lines:
        lines.seek(offset)
        late = lateness(lines)
    return Spent(cpu_percent=sum(shares.values()), late_seconds=late, memory_mib=memory, by_program=shares)


def lateness(lines: Iterator[str]) -> tuple[float, ...]:
    """How much longer than the interval each page waited for its next question. Raises MeasureFailed unless all were asked throughout."""
    asked: defaultdict[str, list[float]] = defaultdict(list)
    for line in lines:
        if found := re.fullmatch(r"([\d.]+) (/crm-\d+)\n", line):
            asked[found[2]].append(float(found[1]))
    late = tuple(max(0.0, after - before - INTERVAL_SECONDS) for moments in asked.values() for before, after in pairwise(moments))
    least = int(WATCHED_SECONDS / INTERVAL_SECONDS) // 2
    if len(asked) < CRMS or min(map(len, asked.values())) < least:
        raise MeasureFailed(f"{len(asked)} of {CRMS} pages were asked, the least {min(map(len, asked.values()), default=0)} times.")
    return late


def _spent(process: psutil.Process) -> float:
    """Seconds of processor, with those of children that have ended."""
    times = process.cpu_times()
    return float(times.user + times.system + times.children_user + times.children_system)


def _memory_bytes(process: psutil.Process) -> int:
    return int(process.memory_full_info().uss)


def free_port() -> int:
    """One that nothing listens on."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port: int = taken.getsockname()[1]
    return port
