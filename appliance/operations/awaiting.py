"""Call a step again when its host comes back: one that is lost is awaited within limits, and never counted as done."""

import time
from collections.abc import Callable
from dataclasses import replace

from appliance.errors import Cancelled, HostRefused, HostUnreachable, StepFailed
from appliance.hosts.reach import ask
from appliance.operations.run import Run

PAUSE_SECONDS = 2.0
ANSWER_SECONDS = 30
UNSETTLED = ("initializing", "starting", "stopping")
"""A host that is booting answers before its database does."""
LOSSES = 5
"""How often a host may be lost within one step before the step has failed."""


def call(run: Run, action: Callable[[Run], str | None], *, patience_seconds: float) -> str | None:
    """Call an action; when the host is lost in it, await the host and call it again, as after any interruption.

    What an earlier call left running on the host has ended before. Raises HostUnreachable when the patience is over, Cancelled,
    and whatever the action raises.
    """
    losses = 0
    while True:
        try:
            if run.interrupted:
                run.end_children(patience_seconds=run.appliance.settings.orphan_patience_seconds, here=False)
            return action(run)
        except HostUnreachable as lost:
            losses += 1
            if losses > LOSSES:
                raise
            run.log(f"{lost} Trying again for {patience_seconds:.0f} s.")
            _await_host(run, lost, patience_seconds)
            run = replace(run, interrupted=True)


def _await_host(run: Run, lost: HostUnreachable, patience_seconds: float) -> None:
    deadline = time.monotonic() + patience_seconds
    run.machine.reach.close()
    while (state := _state(run)) in (None, *UNSETTLED) and time.monotonic() < deadline:
        if run.is_cancelled():
            raise Cancelled(f"Somebody asked to stop while {run.machine.host.name} could not be reached.")
        time.sleep(PAUSE_SECONDS)
    if state is None:
        raise lost
    run.log(f"{run.machine.host.name} answers again.")


def _state(run: Run) -> str | None:
    """What its systemd says of the host, None when it does not answer; a log-in that hangs is no answer. Raises HostRefused."""
    try:
        return ask(run.machine.reach, ["systemctl", "is-system-running"], timeout_seconds=ANSWER_SECONDS).stdout.strip()
    except HostRefused:
        raise
    except StepFailed:
        return None
