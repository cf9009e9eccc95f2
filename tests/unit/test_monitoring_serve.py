"""The monitor as a whole, in this process: it evaluates the rules, and what runs beside it ends with it."""

import os
import signal
from contextlib import closing
from pathlib import Path
from threading import Event

from monitoring.rules.memory import RuleMemory
from monitoring.rules.standing import Stand
from monitoring.serve import Beside, serve
from monitoring.targets import write_targets
from tests.support.receivers import free_port

PATIENCE_SECONDS = 20


def serve_beside(directory: Path, beside: Beside) -> int:
    write_targets(directory / "targets.json", [])
    listen = ("127.0.0.1", free_port())
    targets, ledger = directory / "targets.json", directory / "ledger.sqlite"
    return serve(targets=targets, ledger=ledger, listen=listen, rules_every_seconds=0.1, beside=[beside])


def test_rules_are_evaluated_while_it_serves_and_what_runs_beside_it_is_ended(tmp_path: Path) -> None:
    told: list[str] = []

    def look(stop: Event) -> None:
        for _ in range(PATIENCE_SECONDS * 20):
            with closing(RuleMemory(tmp_path / "ledger.sqlite")) as memory:
                told[:] = [alert.rule for alert in memory.alerts() if alert.stand is Stand.FIRING]
            if told or stop.wait(0.05):
                break
        os.kill(os.getpid(), signal.SIGTERM)
        assert stop.wait(PATIENCE_SECONDS)
        told.append("ended")

    assert serve_beside(tmp_path, look) == 0
    assert (told[0], told[-1]) == ("Watchdog", "ended")
