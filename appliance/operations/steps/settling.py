"""Watch what visitors were just let in to, and say what they wrote that going back would leave behind."""

import time
from collections.abc import Iterable, Mapping
from typing import Any

from appliance.domain.instance import Deployment
from appliance.errors import CommandFailed, ProbeFailed, StepFailed
from appliance.operations.machines import Machine
from appliance.operations.run import Run
from appliance.operations.steps.deploying import at_once, count_records
from appliance.operations.steps.health import BACKGROUND_PROBES, ask_probes, await_health, probes_of
from appliance.operations.steps.subject import new, subject
from appliance.operations.workflow import StepDefinition
from appliance.products.probing import Door

PAUSE_SECONDS = 5.0
MOST_UNHEALTHY = 3
"""So many rounds of probes in a row that are not healthy end the watch; one alone may be a busy moment."""


def watch(run: Run) -> str:
    """Ask every probe, through nginx, until the settling time has passed; the background has just begun.

    Raises StepFailed when the CRM turns unhealthy, and ProbeFailed when its background does not begin.
    """
    settling_seconds = run.appliance.settings.settling_seconds
    every = probes_of(run.appliance, subject(run), new(run), door=Door.PROXY)
    await_health(run.machine, {name: probe for name, probe in every.items() if name in BACKGROUND_PROBES})
    probes = every.values()
    deadline, unhealthy = time.monotonic() + settling_seconds, 0
    while True:
        failing = failing_of(run.machine, probes)
        unhealthy = unhealthy + 1 if failing else 0
        if failing:
            run.log(f"not healthy: {'; '.join(failing)}")
        if unhealthy == MOST_UNHEALTHY:
            raise StepFailed(f"the CRM turned unhealthy while it settled ({'; '.join(failing)})")
        if not failing and time.monotonic() >= deadline:
            return f"healthy for {settling_seconds:.0f} s"
        time.sleep(min(PAUSE_SECONDS, settling_seconds))


def failing_of(machine: Machine, probes: Iterable[Mapping[str, Any]]) -> list[str]:
    """What is not healthy; probes that could not run have shown nothing good, and nothing for good."""
    try:
        return [f"{result['name']}: {result['detail']}" for result in ask_probes(machine, probes) if not result["healthy"]]
    except ProbeFailed as failure:
        return [str(failure)]


def left_behind(run: Run, *, served: Deployment, to: Deployment) -> str:
    """What going from the deployment that visitors were served by `to` another one leaves behind; it is only told, so no failure counts."""
    try:
        before, after = at_once(lambda: count_records(run, to), lambda: count_records(run, served))
    except CommandFailed as failure:
        return f"what was written since could not be counted ({failure})"
    return f"left behind, and kept: {told_differences(before, after)}"


def told_differences(before: Mapping[str, Any], after: Mapping[str, Any]) -> str:
    """A sentence of what counts and checksums say; a record that was replaced by another shows in the checksum alone."""
    counts = {name: after["counts"].get(name, 0) - count for name, count in before["counts"].items()}
    changed = {name for name, checksum in before["checksums"].items() if after["checksums"].get(name) != checksum}
    told = [f"{difference:+d} {name}" for name, difference in sorted(counts.items()) if difference]
    told += [f"changed {name}" for name in sorted(changed) if not counts.get(name)]
    return ", ".join(told) or "no counted record differs"


WATCH = StepDefinition(name="watch", title="Watch it settle", run=watch, cancellable=False)
