"""What the steps of an operation agree on: the instance they act on, the deployment they make, the one that served before."""

from dataclasses import replace
from typing import Any

from appliance.domain.instance import Deployment, Instance
from appliance.domain.product import ProductDefinition
from appliance.operations.run import Run
from appliance.operations.variables import variables


def subject(run: Run) -> Instance:
    """The instance acted on: the operation's own, or the scratch copy that a drill made."""
    return run.appliance.store.instances.get(run.memory.get("subject", run.operation.instance))


def configured(run: Run) -> Instance:
    """The same with the settings that its new deployment has: other ones where this operation changes them."""
    instance = subject(run)
    return replace(instance, settings=run.memory["settings"]) if "settings" in run.memory else instance


def product(run: Run) -> ProductDefinition:
    """The definition of the subject's product."""
    return run.appliance.catalogue.get(subject(run).product).definition


def new(run: Run) -> Deployment:
    """The deployment that this operation makes or goes to."""
    return Deployment(**run.memory["new"])


def stops(run: Run) -> list[Deployment]:
    """The deployments on the way to the new one: each migrates a copy of the database by its own release, and never serves."""
    return [Deployment(**stop) for stop in run.memory.get("stops", ())]


def old(run: Run) -> Deployment:
    """The deployment that served when this operation began."""
    return Deployment(**run.memory["old"])


def told(run: Run, deployment: Deployment | None = None, **more: Any) -> dict[str, Any]:
    """Variables for a playbook about the new deployment, or another one, with the old one as `previous` where there is one."""
    previous = Deployment(**run.memory["old"]) if run.memory.get("old") else None
    return variables(run.appliance, subject(run), deployment=deployment or new(run), previous=previous, **more)


def told_of_old(run: Run, **more: Any) -> dict[str, Any]:
    """Variables for a playbook about the old deployment, with the new one as `previous`: the way back."""
    return variables(run.appliance, subject(run), deployment=old(run), previous=new(run), **more)
