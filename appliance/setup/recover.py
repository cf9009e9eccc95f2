"""`appliance up --recover KIT`: on a bare machine, bring back what a lost one had, from a repository elsewhere."""

import os
import shutil
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from appliance.config import Settings, load_settings
from appliance.domain.kit import KitRepository, RecoveryKit, read_kit
from appliance.domain.operation import Operation, OperationStatus
from appliance.errors import Conflict, InvalidRequest, StepFailed
from appliance.operations import lost
from appliance.operations.kits import SCOPE, STATE_KEY
from appliance.operations.steps.repositories import CREDENTIAL_PREFIX, PASSWORD, remote_repository
from appliance.setup import begun, kept_states, processes, report
from appliance.setup.files import write_if_changed
from appliance.setup.main_job import Job, OperationEnded, follow
from appliance.setup.progress import Progress, continued
from appliance.setup.up import SUCCEEDED, carry
from appliance.store import state
from appliance.wiring import open_appliance
from backup.locations import CREDENTIALS

STEPS = 6
READ, FETCH, PLACE, START, BRING = (
    "Reading the recovery kit",
    "Fetching the state of the appliance",
    "Putting it in its place",
    "Starting panel, worker and monitor",
    "Bringing the CRMs back",
)


@dataclass(frozen=True, kw_only=True)
class Found:
    """What a repository of the kit has given: the state, and which recovery points are there."""

    repository: str
    archive: state.Archive
    points: Sequence[str]


def run(settings: Settings, kit_file: Path, progress: Progress | None = None) -> int:
    """Bring everything back, printing each step; returns the exit code. Run again, it goes on where it was stopped."""
    progress = progress or continued(steps=STEPS)
    child = begun.begun(os.environ)
    return carry(lambda: _run(settings, kit_file, progress, child), progress, child, command=f"bin/up --recover {kit_file}")


def _run(settings: Settings, kit_file: Path, progress: Progress, child: begun.Begun | None) -> int:
    began_seconds = time.monotonic()
    with progress.step(READ):
        kit = read_kit(_text_of(kit_file))
    begun.finish(child, progress)
    if is_recovered(settings, kit):
        progress.skip(FETCH)
        progress.skip(PLACE)
    else:
        refuse_what_is_used(settings)
        with progress.step(FETCH):
            found = fetch(kit, progress)
        with progress.step(PLACE):
            for name in put_in_place(settings, found):
                progress.below(f"{name} had no recovery point in {found.repository} and does not come back.")
    settings = load_settings()
    with progress.step(START):
        processes.start(settings, os.environ, Path(sys.executable).parent)
    job = Job(appliance=open_appliance(settings), progress=progress)
    with progress.step(BRING):
        brought = bring_back(job)
    progress.say(f"\nDone: {_told(brought)} after {time.monotonic() - began_seconds:.0f} s.")
    for line in report.serving_lines(job.appliance):
        progress.say(line)
    return SUCCEEDED


def is_recovered(settings: Settings, kit: RecoveryKit) -> bool:
    """Whether this machine has the appliance that the kit is of."""
    if not settings.database_file.exists():
        return False
    return open_appliance(settings).store.vault.all(SCOPE).get(STATE_KEY) == kit.state_key


def refuse_what_is_used(settings: Settings) -> None:
    """Raises Conflict where another appliance would be given up, or runs."""
    if settings.database_file.exists():
        store = open_appliance(settings).store
        if store.instances.list() or store.points.all() or any(not host.is_local for host in store.hosts.list()):
            raise Conflict("This machine has an appliance with CRMs of its own. Nothing was changed; recover on another machine.")
    processes.stop(settings)
    if running := [status.name for status in processes.status(settings) if status.is_up]:
        raise Conflict(f"The appliance runs here. Nothing was changed; first: systemctl stop {' '.join(running)}")


def fetch(kit: RecoveryKit, progress: Progress) -> Found:
    """The state from the first repository that has it. Raises StepFailed when none gives it, with what each has said."""
    failures = []
    for name, repository in kit.repositories.items():
        try:
            return _fetched(kit, name, repository, progress)
        except (StepFailed, InvalidRequest) as failure:
            failures.append(f"{name}: {failure}")
            progress.below(failures[-1])
    raise StepFailed(f"No repository of the kit gave the state. Nothing was changed. {' '.join(failures)}".strip())


def _fetched(kit: RecoveryKit, name: str, repository: KitRepository, progress: Progress) -> Found:
    with tempfile.TemporaryDirectory(prefix="recovery-") as folder:
        spec = remote_repository(repository.location, Path(folder) / "leases", _laid_down(repository, Path(folder)))
        archive = kept_states.newest_that_opens(spec, kit.state_key, Path(folder), progress)
        points = kept_states.ask("points", {"repository": spec})["points"]
    if state.check_settings(state.settings_of(archive)).get("production"):
        raise InvalidRequest("its appliance was in production: see docs/runbooks/recover.md. Nothing was changed.", field="kit")
    return Found(repository=name, archive=archive, points=[point["id"] for point in points])


def put_in_place(settings: Settings, found: Found) -> list[str]:
    """Make the state this machine's, with a request for each CRM that was lost; gives the names of those that do not come back."""
    if text := state.settings_of(found.archive):
        write_if_changed(settings.etc / "appliance.toml", text, mode=0o600)
    for name, content in found.archive.products().items():
        write_if_changed(settings.etc / "products" / name, content.decode(), mode=0o644)
    settings = load_settings()
    beside = settings.model_copy(update={"home": settings.home / "recovering"})
    shutil.rmtree(beside.home, ignore_errors=True)
    beside.home.mkdir(parents=True, mode=0o700)
    now = datetime.now(UTC)
    state.put_back(beside, found.archive, settle=True, now=now)
    appliance = open_appliance(beside)
    gone = lost.request_back(appliance, found.repository, found.points, now)
    appliance.store.database.engine.dispose()
    state.move(beside, settings)
    shutil.rmtree(beside.home)
    return gone


def bring_back(job: Job) -> list[str]:
    """Follow the request for each CRM to its end; gives their names. Raises OperationEnded for the first that did not come back."""
    brought, failed = [], list[Operation]()
    for wanted in lost.requested(job.appliance):
        if not lost.is_back(job.appliance, wanted):
            ended = _followed(job, lost.ask_again(job.appliance, wanted, job.now()))
            if ended.status != OperationStatus.SUCCEEDED:
                failed.append(ended)
                job.progress.below(f"{ended.instance} did not come back: {ended.cause}")
                continue
        brought.append(wanted.instance)
        _keep_every_change(job, wanted.instance)
    if failed:
        raise OperationEnded(failed[0])
    return brought


def _keep_every_change(job: Job, name: str) -> None:
    received = lost.keep_every_change_again(job.appliance, name, job.now())
    ended = follow(job, received.id) if received else None
    if ended is not None and ended.status != OperationStatus.SUCCEEDED:
        job.progress.below(f"{name} serves, but see that every change is kept again ({ended.cause}): appliance archive {name}")


def _followed(job: Job, operation: Operation) -> Operation:
    job.progress.below(f"{operation.instance}:")
    ended = follow(job, operation.id)
    if ended.status == OperationStatus.SUCCEEDED or (other := lost.ask_for_the_point(job.appliance, ended, job.now())) is None:
        return ended
    job.progress.below(f"The log does not lead back ({ended.cause}). From the newest recovery point:")
    return follow(job, other.id)


def _laid_down(repository: KitRepository, folder: Path) -> dict[str, str]:
    """Files with what it is asked with, by the names of its secrets; the folder is readable by its owner alone."""
    files = {}
    for name, value in {PASSWORD: repository.password, **repository.secrets}.items():
        file = folder / name
        file.touch(mode=0o600)
        file.write_text(value)
        files[f"{CREDENTIAL_PREFIX}{name}" if name in CREDENTIALS else name] = str(file)
    return files


def _told(brought: Sequence[str]) -> str:
    return f"{', '.join(brought)} is back" if brought else "nothing of this appliance was lost; it runs"


def _text_of(file: Path) -> str:
    try:
        return file.read_text()
    except (OSError, UnicodeDecodeError) as error:
        raise InvalidRequest(f"{file} cannot be read: {error}. Nothing was changed.", field="kit") from None
