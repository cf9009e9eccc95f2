"""`appliance up`: the processes run, and the main job is done; run again, it changes nothing and says so."""

import os
import sys
from collections.abc import Callable
from pathlib import Path

from appliance.config import Settings
from appliance.domain.operation import OperationStatus
from appliance.errors import ApplianceError, Conflict, InvalidRequest, PreflightFailed
from appliance.setup import begun, main_job, processes, report
from appliance.setup.progress import Progress, continued
from appliance.wiring import Appliance, open_appliance

STEPS_OF_EMPTY = 2
STEPS_OF_MAIN_JOB = 4
SUCCEEDED, FAILED, INVALID, ROLLED_BACK, REFUSED, BUSY, INTERRUPTED = 0, 1, 2, 3, 4, 5, 130
EXIT_CODES = {
    OperationStatus.ROLLED_BACK: ROLLED_BACK,
    OperationStatus.CANCELLED: INTERRUPTED,
}
NEXT_ACTION = "Mend what is said above, then run {command} again; what is done already stays done."


def run(settings: Settings, *, empty: bool, progress: Progress | None = None) -> int:
    """Bring everything up, printing each step; returns the exit code of the command line."""
    progress = progress or continued(steps=STEPS_OF_EMPTY + (0 if empty else STEPS_OF_MAIN_JOB))
    child = begun.begun(os.environ)
    return carry(lambda: _run(settings, empty=empty, progress=progress, child=child), progress, child, command="bin/up")


def carry(work: Callable[[], int], progress: Progress, child: begun.Begun | None, *, command: str) -> int:
    """Do what a command of `bin/up` has left to do, to its end or to words that say what to do then; returns the exit code."""
    try:
        return work()
    except KeyboardInterrupt:
        progress.say("\nStopped. An operation that has begun goes on in the worker: `appliance operation list` shows it.")
        progress.say(f"To follow it, and for the rest: {command}")
        return INTERRUPTED
    except ApplianceError as failure:
        explain(failure, progress, command=command)
        return exit_code(failure)
    finally:
        if child:
            child.end()


def _run(settings: Settings, *, empty: bool, progress: Progress, child: begun.Begun | None) -> int:
    done = []
    appliance = open_appliance(settings)
    if _start_processes(settings, progress):
        done.append("started panel, worker and monitor")
    job = main_job.Job(appliance=appliance, progress=progress)
    password = main_job.create_administrator(job)
    done += ["created the administrator"] if password else []
    try:
        if not empty:
            begun.finish(child, progress)
            _do_main_job(job, done)
    finally:
        _print_report(appliance, progress, done, password)
    return SUCCEEDED


def _start_processes(settings: Settings, progress: Progress) -> list[str]:
    with progress.step("Starting panel, worker and monitor"):
        return processes.start(settings, os.environ, Path(sys.executable).parent)


def _do_main_job(job: main_job.Job, done: list[str]) -> None:
    deeds: list[tuple[Callable[[main_job.Job], bool], str]] = [
        (main_job.install, "installed the CRM"),
        (main_job.back_up, "took its first backup"),
        (main_job.prove, "proved it by a restore beside the live one"),
    ]
    for deed, words in deeds:
        if deed(job):
            done.append(words)


def _print_report(appliance: Appliance, progress: Progress, done: list[str], password: str | None) -> None:
    for line in report.lines(appliance, done=done, password=password):
        progress.say(line)


def explain(failure: ApplianceError, progress: Progress, *, command: str = "bin/up") -> None:
    """Say which step failed, why, and what to do, by the command that goes on with it."""
    operation = failure.operation if isinstance(failure, main_job.OperationEnded) else None
    progress.say(f"\nStep {progress.number} of {progress.total} failed: {progress.title}.")
    progress.say(f"Why: {failure}")
    progress.say(f"What to do: {(operation and operation.next_action) or NEXT_ACTION.format(command=command)}")
    if operation is not None:
        progress.say(f"Its log: appliance operation follow {operation.id}")


def exit_code(failure: ApplianceError) -> int:
    """Return the exit code that the command line gives this failure."""
    match failure:
        case main_job.OperationEnded(operation=operation):
            return REFUSED if operation.refused else EXIT_CODES.get(operation.status, FAILED)
        case PreflightFailed():
            return REFUSED
        case Conflict():
            return BUSY
        case InvalidRequest():
            return INVALID
        case _:
            return FAILED
