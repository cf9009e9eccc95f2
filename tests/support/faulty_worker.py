"""The worker with the appliance's own workflows, made to fail in a step or to be caught in it.

`python -m tests.support.faulty_worker '{"fail": "migrate"}'` raises in that step after all its work is done, which is the worst moment.
`'{"marks": "/directory"}'` leaves a mark when the work of a step is done and waits a moment before the journal learns of it.
"""

import dataclasses
import json
import sys
import time
from pathlib import Path
from typing import Any

from appliance.config import load_settings
from appliance.errors import StepFailed
from appliance.operations.run import Run
from appliance.operations.workflow import StepDefinition, Workflow
from appliance.operations.workflows import WORKFLOWS
from appliance.wiring import open_appliance
from appliance.worker import Worker

HOLD_SECONDS = 0.6


def faulty(step: StepDefinition, faults: dict[str, Any]) -> StepDefinition:
    """The same step, with the fault."""

    def run(run: Run) -> str | None:
        detail = step.run(run)
        if faults.get("fail") == step.name:
            raise StepFailed(f"injected after {step.name}")
        if "marks" in faults:
            Path(faults["marks"], f"{run.operation.id}-{step.name}").touch()
            time.sleep(HOLD_SECONDS)
        return detail

    return dataclasses.replace(step, run=run)


def faulty_workflow(workflow: Workflow, faults: dict[str, Any]) -> Workflow:
    """The same workflow with every step made faulty."""
    return dataclasses.replace(workflow, steps=tuple(faulty(step, faults) for step in workflow.steps))


if __name__ == "__main__":
    wanted = json.loads(sys.argv[1])
    Worker(
        appliance=open_appliance(load_settings()),
        workflows={kind: faulty_workflow(workflow, wanted) for kind, workflow in WORKFLOWS.items()},
    ).run()
