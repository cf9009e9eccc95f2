"""The monitor as a process, without Prometheus: a CRM goes down, people get a mail and a webhook, and another when it is back."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from appliance.domain.channel import Purpose
from appliance.operations.alerting import read_alerts
from appliance.operations.channels import add_channel
from appliance.wiring import Appliance
from monitoring.targets import Target, write_targets
from tests.support.monitor_process import Crm
from tests.support.operating import make_appliance, now
from tests.support.receivers import free_port, mail_server, web_server

EVERY_SECONDS = 1
DEADLINE_SECONDS = 200


class Monitor:
    """`appliance monitor`; the targets are written again once it has written its own."""

    def __init__(self, appliance: Appliance, target: Target) -> None:
        self.appliance, self.target = appliance, target
        self.log = appliance.settings.home / "monitor.log"

    def start(self) -> None:
        settings = self.appliance.settings
        places = {name.upper(): getattr(settings, name) for name in ("home", "etc", "run", "log", "crm_root")}
        listen = f"127.0.0.1:{free_port()}"
        told = places | {"MONITOR_LISTEN": listen, "ALERT_RULES_EVERY_SECONDS": EVERY_SECONDS, "CONFIG": "/nonexistent"}
        environment = os.environ | {f"APPLIANCE_{name}": str(value) for name, value in told.items()}
        argv = [sys.executable, "-c", "from appliance.cli import main; main()", "monitor"]
        settings.targets_file.unlink(missing_ok=True)
        with self.log.open("a") as log:
            self.process = subprocess.Popen(argv, env=environment, stdout=log, stderr=log)
        wait_until(settings.targets_file.exists)
        write_targets(settings.targets_file, [self.target])

    def end(self, number: signal.Signals = signal.SIGKILL) -> None:
        self.process.send_signal(number)
        self.process.wait(timeout=10)


def begins(words: str, texts: list[str]) -> bool:
    return any(text.startswith(words) for text in texts)


def wait_until(reached: Callable[[], bool]) -> None:
    deadline = time.monotonic() + DEADLINE_SECONDS
    while not reached():
        assert time.monotonic() < deadline, "it did not happen in time"
        time.sleep(0.1)


@pytest.fixture
def crm() -> Iterator[Crm]:
    made = Crm()
    yield made
    if made.thread.is_alive():
        made.stop()


def test_an_outage_is_told_and_its_end_too_over_a_kill_of_the_monitor(crm: Crm, tmp_path: Path) -> None:
    appliance = make_appliance(tmp_path)
    probe = {"kind": "http", "url": f"http://127.0.0.1:{crm.port}/", "timeout_seconds": 1}
    facts = {"crm": "demo", "product": "sample", "release": "1", "interval_seconds": 0.5, "probes": {"live": probe}}
    monitor = Monitor(appliance, Target.model_validate(facts))
    with mail_server() as (mail, mailbox), web_server() as hook, web_server() as outside:
        for name, url in (("mail", mail), ("hook", f"json://{hook.address}/"), ("outside", f"http://{outside.address}/")):
            purpose = Purpose.HEARTBEAT if name == "outside" else Purpose.ALERTS
            add_channel(appliance, name=name, url=url, purpose=purpose, requested_by="Alice", now=now())
        monitor.start()
        try:
            wait_until(lambda: bool(outside.requests))
            crm.stop()
            down_at = time.monotonic()
            wait_until(lambda: any(alert.rule == "CrmDown" for alert in read_alerts(appliance).standing))
            monitor.end()
            monitor.start()
            wait_until(
                lambda: any("demo is down" in text for text in mailbox.texts()) and any("demo is down" in title for title in hook.titles())
            )
            assert 120 <= time.monotonic() - down_at < 180
            crm.start()
            wait_until(
                lambda: "[over] demo is down" in hook.titles() and any(text.startswith("[over] demo is down") for text in mailbox.texts())
            )
        finally:
            monitor.end(signal.SIGTERM)
    assert sum("demo is down" in title for title in hook.titles()) == 2
    assert "Traceback" not in monitor.log.read_text()


def test_of_a_host_that_does_not_answer_one_message_is_sent_though_its_crm_is_down_too(crm: Crm, tmp_path: Path) -> None:
    appliance = make_appliance(tmp_path)
    probe = {"kind": "http", "url": f"http://127.0.0.1:{crm.port}/", "timeout_seconds": 1}
    facts = {"crm": "demo", "product": "sample", "release": "1", "host": "web1", "interval_seconds": 0.5, "probes": {"live": probe}}
    monitor = Monitor(appliance, Target.model_validate(facts | {"through": ["false"]}))
    crm.stop()
    with web_server() as hook:
        add_channel(appliance, name="hook", url=f"json://{hook.address}/", requested_by="Alice", now=now())
        monitor.start()
        try:
            wait_until(lambda: any(alert.rule == "CrmDown" and alert.state == "firing" for alert in read_alerts(appliance).standing))
            wait_until(lambda: bool(hook.titles()))
        finally:
            monitor.end(signal.SIGTERM)
    assert "web1 does not answer" in hook.titles()[0]
    assert not any("demo is down" in str(body) for _, body in hook.requests)
    untold = {alert.rule: alert.untold for alert in read_alerts(appliance).standing}
    assert (untold["HostUnreachable"], untold["CrmDown"]) == ("", "HostUnreachable")
