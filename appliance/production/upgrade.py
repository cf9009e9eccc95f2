"""`appliance self-upgrade`: everything that can be done while the old release serves; then the unit `appliance-upgrade` switches."""

import os
import shutil
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from fcntl import LOCK_EX, LOCK_NB, flock
from pathlib import Path
from typing import Any

from packaging.version import Version

from appliance.config import Settings, program
from appliance.errors import Conflict, InvalidRequest, PreflightFailed, StepFailed
from appliance.production.account import as_user
from appliance.production.intent import Intent, Outcome, Phase, read_intent, read_outcome
from appliance.production.keeping import new_directory, open_private, require_room
from appliance.production.places import Places
from appliance.production.placing import read_environment
from appliance.production.releases import Wheel, discard, install, read_wheel, running, switch_link, version_of
from appliance.production.switching import unfinished
from appliance.production.units import UPGRADE
from appliance.setup.environment import environment_file
from appliance.store import state
from appliance.wiring import open_appliance

RELEASE_BYTES = 700 * 1024**2
"""An environment of its own; the present one takes 390 MB."""
POLL_SECONDS = 0.5
WAIT_POLL_SECONDS = 3.0
TRIAL_SECONDS = 300
LONGEST_SWITCH_SECONDS = 600
Say = Callable[[str], None]


def upgrade(settings: Settings, places: Places, file: Path, *, wait: bool, say: Say) -> Outcome | None:
    """Go to the release of a wheel; None when it runs already. Raises InvalidRequest, Conflict, PreflightFailed, StepFailed before
    anything is stopped; afterwards the outcome says what happened.
    """
    with _alone(places):
        wheel = read_wheel(file)
        source = _source(places, wheel)
        if source.name == wheel.release:
            return None
        require_room(settings, places, release_bytes=RELEASE_BYTES)
        require_idle(settings, wait=wait, say=say)
        say(f"Installing {wheel.version} beside {version_of(source)}")
        environment = read_environment(environment_file(settings)) | dict(os.environ)
        target = install(wheel, places, uv=program("uv"), environment=environment)
        try:
            say("Trying it with a copy of the store")
            try_with_copy(settings, target)
            require_idle(settings, wait=wait, say=say)
        except (PreflightFailed, StepFailed, Conflict):
            discard(target)
            raise
        before = new_directory(places, datetime.now(UTC)) / "state.tar.gz"
        return carry_out(places, Intent(kind="upgrade", source=source, target=target, before=before), say)


def restore(settings: Settings, places: Places, file: Path, *, replace: bool, say: Say) -> Outcome:
    """Replace the state by that of a backup. Raises InvalidRequest, Conflict, PreflightFailed before anything is stopped."""
    with _alone(places):
        require_idle(settings, wait=False, say=say)
        if not replace and (used := as_user(settings, lambda: {"used": _used(settings)})["used"]):
            raise Conflict(f"This appliance has {used} already. Nothing was changed; to give up what it knows: --replace")
        require_room(settings, places, release_bytes=0)
        directory = new_directory(places, datetime.now(UTC))
        with _opened(file) as source, open_private(directory / "incoming.tar.gz") as copy:
            shutil.copyfileobj(source, copy)
            copy.flush()
            os.fsync(copy.fileno())
            copy.seek(0)
            archive = state.examine_archive(copy)
            state.check_settings(state.settings_of(archive))
        say(f"The backup was made at {archive.made_at:%Y-%m-%d %H:%M} UTC by version {archive.version}")
        release = running(places)
        if release is None:
            raise StepFailed(f"{places.current} names no release. Nothing was changed; run bin/up --production.")
        state_before = directory / "state.tar.gz"
        intent = Intent(kind="restore", source=release, target=release, before=state_before, state=directory / "incoming.tar.gz")
        return carry_out(places, intent, say)


def go_on(places: Places, say: Say) -> Outcome:
    """Bring an earlier one to its end. Raises StepFailed when it comes to none."""
    with _alone(places):
        if (intent := read_intent(places)) is not None:
            say(f"An earlier {intent.kind} from {intent.source.name} to {intent.target.name} was cut off; it goes on")
            intent.moved(places, attempts=0, phase=Phase.BACK if intent.phase is Phase.STUCK else intent.phase)
        return _switch(places, say)


def carry_out(places: Places, intent: Intent, say: Say) -> Outcome:
    """Let the unit do it, which outlives this terminal, and wait for the end. Raises StepFailed."""
    switch_link(places.upgrader, intent.source)
    places.outcome.unlink(missing_ok=True)
    intent.write(places)
    return _switch(places, say)


def _switch(places: Places, say: Say) -> Outcome:
    say("Switching; whatever happens to this terminal, it goes on: journalctl -u appliance-upgrade")
    subprocess.run(["systemctl", "reset-failed", f"{UPGRADE}.service"], capture_output=True, check=False)
    subprocess.run(["systemctl", "start", f"{UPGRADE}.service"], stdin=subprocess.DEVNULL, capture_output=True, check=False)
    deadline = time.monotonic() + LONGEST_SWITCH_SECONDS
    while time.monotonic() < deadline:
        intent = read_intent(places)
        if (intent is None or intent.phase is Phase.STUCK) and (outcome := read_outcome(places)) is not None:
            return outcome
        time.sleep(POLL_SECONDS)
    raise StepFailed("The switch came to no end yet. See: journalctl -u appliance-upgrade; then run this again.")


def require_idle(settings: Settings, *, wait: bool, say: Say) -> None:
    """Raises Conflict while operations are under way; with `wait` their end is awaited."""
    told = False
    while busy := as_user(settings, lambda: {"ids": unfinished(settings)})["ids"]:
        if not wait:
            raise Conflict(f"Operation {busy[0]} is under way. Nothing was changed; wait for its end, or give --wait.")
        if not told:
            say(f"Waiting for the end of operation {busy[0]}")
            told = True
        time.sleep(WAIT_POLL_SECONDS)


def try_with_copy(settings: Settings, release: Path) -> None:
    """Let a release open a copy of the store, in the name of the appliance's user. Raises StepFailed with what it says."""

    def attempt() -> dict[str, Any]:
        with tempfile.TemporaryDirectory(prefix="trial-", dir=settings.cache) as name:
            home = Path(name) / "home"
            home.mkdir()
            state.copy_store(settings, home)
            variables = {
                "APPLIANCE_HOME": str(home),
                "APPLIANCE_RUN": str(Path(name) / "run"),
                "APPLIANCE_CACHE": str(Path(name) / "cache"),
            }
            argv = [str(release / "bin" / "python"), "-P", "-m", "appliance.production.trial"]
            environment = {"PATH": os.environ["PATH"], "LC_ALL": "C.UTF-8", "HOME": name, **variables}
            done = subprocess.run(argv, capture_output=True, text=True, env=environment, timeout=TRIAL_SECONDS, check=False)
            return {"code": done.returncode, "said": (done.stdout + done.stderr)[-3000:]}

    tried = as_user(settings, attempt)
    if tried["code"]:
        raise PreflightFailed((f"{release.name} cannot be used with this appliance's store; it says: {tried['said'].strip()}",))


def _source(places: Places, wheel: Wheel) -> Path:
    """The release that runs. Raises StepFailed when there is none, InvalidRequest when the wheel is older."""
    source = running(places)
    if source is None or not version_of(source):
        raise StepFailed(f"{places.current} names no release. Nothing was changed; run bin/up --production.")
    if Version(wheel.version) < Version(version_of(source)):
        raise InvalidRequest(f"{wheel.version} is older than {version_of(source)}, which runs. Nothing was changed.", field="wheel")
    return source


def _used(settings: Settings) -> str:
    store = open_appliance(settings).store
    instances, hosts = store.instances.list(), [host for host in store.hosts.list() if not host.is_local]
    return f"{len(hosts)} hosts and {len(instances)} CRMs" if hosts or instances else ""


@contextmanager
def _alone(places: Places) -> Iterator[None]:
    """Be the only one who upgrades or restores. Raises Conflict."""
    with (places.opt / "upgrade.lock").open("a") as lock:
        try:
            flock(lock, LOCK_EX | LOCK_NB)
        except BlockingIOError:
            raise Conflict("An upgrade or restore of the appliance is under way already. Nothing was changed.") from None
        yield


@contextmanager
def _opened(file: Path) -> Iterator[Any]:
    try:
        with file.open("rb") as stream:
            yield stream
    except OSError as error:
        raise InvalidRequest(f"{file} cannot be read: {error.strerror}. Nothing was changed.", field="file") from None
