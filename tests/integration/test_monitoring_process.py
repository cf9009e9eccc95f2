"""The monitor as a real process: what it makes of a CRM that stops, and what kill -9 leaves behind."""

import json
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest
from prometheus_client.parser import text_string_to_metric_families

from monitoring.clock import open_clock
from monitoring.ledger import Interval, Ledger, State
from monitoring.targets import write_targets
from tests.support.monitor_process import DEADLINE_SECONDS, INTERVAL_SECONDS, Crm, MonitorProcess, target, wait_until
from tests.support.receivers import free_port


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
        for kind in ("backup", "drill", "upgrade"):
            worker.record_event(kind=kind, crm="demo", result="success", at=datetime.now(UTC), duration_seconds=2)
    number = watched.value("appliance_probe_checks_total", target="live", result="healthy")
    wait_until(lambda: watched.value("appliance_probe_checks_total", target="live", result="healthy") > number)
    before = counters(watched)
    watched.end()
    watched.start()
    wait_until(lambda: watched.get("/metrics")[0] == 200)
    after = counters(watched)
    assert {name: value for name, value in before.items() if after[name] < value} == {}
    assert {"appliance_probe_state_seconds", "appliance_outages", "appliance_backup_runs", "appliance_operation_runs"} <= {
        name for (name, _), value in before.items() if value > 0
    }


def counters(monitor: MonitorProcess) -> dict[tuple[str, str], float]:
    """All that come from the ledger, by family and series; how often the monitor itself failed is of one life."""
    families = text_string_to_metric_families(monitor.get("/metrics")[1])
    kept = [family for family in families if family.type in {"counter", "histogram"} and family.name != "appliance_collect_errors"]
    return {(family.name, f"{one.name}{sorted(one.labels.items())}"): one.value for family in kept for one in family.samples}


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
