"""The unit `appliance-upgrade`: from one release, or one state, to another, and back when that does not become ready.

It runs the release from before, outside of anybody's terminal. It may be killed at any point, and is started again by systemd, after a
power cut at the next boot: each phase begins by stopping the processes and can be gone through again.
"""

import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

from appliance.config import Settings, load_settings
from appliance.domain.operation import OperationStatus
from appliance.errors import ApplianceError, StepFailed
from appliance.production import services
from appliance.production.account import as_user
from appliance.production.intent import Intent, Phase, Result, end, read_intent
from appliance.production.keeping import keep_newest, put_in_place, save_to
from appliance.production.places import Places
from appliance.production.releases import discard, prune, switch_link
from appliance.wiring import open_appliance

MOST_ATTEMPTS = 4
"""A phase that ended this often without an end of its own (killed, or by an error that nobody foresaw) is given up."""


def main() -> int:
    """Bring what is under way to its end; whatever that is, it is written down. Returns 0, for systemd starts again what fails."""
    places = Places()
    intent = read_intent(places)
    if intent is None:
        return 0
    intent = intent.moved(places, attempts=intent.attempts + 1)
    if intent.phase in (Phase.PREPARED, Phase.FORWARD):
        intent = _forward(places, intent)
    if intent.phase in (Phase.BACK, Phase.STUCK):
        _back(places, intent)
    return 0


def _forward(places: Places, intent: Intent) -> Intent:
    try:
        if intent.attempts > MOST_ATTEMPTS:
            raise StepFailed(f"it was begun {MOST_ATTEMPTS} times and came to no end")
        services.stop()
        if intent.phase is Phase.PREPARED:
            if busy := as_user(load_settings(), lambda: {"ids": unfinished(load_settings())})["ids"]:
                return _give_up(places, intent, f"operation {busy[0]} began meanwhile")
            save_to(load_settings(), intent.before)
            intent = intent.moved(places, phase=Phase.FORWARD)
        if intent.state is not None:
            put_in_place(load_settings(), intent.state, settle=True)
        _start(places, intent.target)
    except (ApplianceError, OSError) as failure:
        return intent.moved(places, phase=Phase.BACK, cause=str(failure), attempts=0)
    end(places, intent, Result.SUCCEEDED, "", datetime.now(UTC))
    prune(places, keep=[intent.target, intent.source])
    keep_newest(places)
    return intent


def _give_up(places: Places, intent: Intent, cause: str) -> Intent:
    services.start()
    services.await_ready(load_settings(), places, intent.source)
    end(places, intent, Result.REFUSED, cause, datetime.now(UTC))
    return intent


def _back(places: Places, intent: Intent) -> None:
    try:
        if intent.attempts > MOST_ATTEMPTS:
            raise StepFailed(f"going back was begun {MOST_ATTEMPTS} times and came to no end")
        services.stop()
        if intent.before.exists():
            put_in_place(load_settings(), intent.before, settle=False)
        _start(places, intent.source)
    except (ApplianceError, OSError) as failure:
        cause = f"{intent.cause}\nGoing back failed, too: {failure}"
        end(places, intent.moved(places, phase=Phase.STUCK, attempts=0), Result.FAILED, cause, datetime.now(UTC))
        return
    end(places, intent, Result.ROLLED_BACK, intent.cause, datetime.now(UTC))
    if intent.target != intent.source:
        discard(intent.target)


def _start(places: Places, release: Path) -> None:
    """Switch the link, let that release put its units and site in place, and start it. Raises StepFailed when it does not become ready."""
    switch_link(places.current, release)
    argv = [str(release / "bin" / "python"), "-P", "-m", "appliance.production.placing"]
    placed = subprocess.run(argv, stdin=subprocess.DEVNULL, capture_output=True, text=True, cwd="/", check=False)
    if placed.returncode:
        raise StepFailed(f"{release.name} could not put its units in place: {placed.stderr.strip()[-2000:]}")
    services.start()
    services.await_ready(load_settings(), places, release)


def unfinished(settings: Settings) -> list[int]:
    """Operations that are at work or wait for it."""
    operations = open_appliance(settings).store.operations
    return [one.id for one in operations.list(status=[OperationStatus.QUEUED, OperationStatus.RUNNING], limit=100)]


if __name__ == "__main__":
    sys.exit(main())
