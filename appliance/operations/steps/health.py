"""Decide whether a CRM is healthy: by its product's own probes, never by an exit code."""

import json
import time
from collections.abc import Collection, Iterable, Mapping
from typing import Any

from appliance.domain.instance import Deployment, Instance
from appliance.errors import ProbeFailed
from appliance.hosts.reach import ask
from appliance.operations.machines import Machine, layout_on
from appliance.operations.variables import crm_variables, database_spec, release_variables
from appliance.products.probing import Door, render_layers, render_probes
from appliance.wiring import Appliance

PATIENCE_SECONDS = 90
PAUSE_SECONDS = 0.5
LONGEST_ROUND_SECONDS = 300
OPEN_PROBES = ("live", "ready")
"""Asked through nginx after a switch; the others were asked on the private port before it."""
BACKGROUND_PROBES = ("queue",)
"""What works in the background begins when its deployment serves, so it can be asked only then; in a scratch copy at once."""


def probes_of(
    appliance: Appliance, instance: Instance, deployment: Deployment, *, door: Door, names: Collection[str] | None = None
) -> dict[str, dict[str, Any]]:
    """The product's probes by name, ready for the monitoring package; all but the writing one, or those named."""
    variables = {
        "crm": _crm(appliance, instance, deployment),
        "deployment": deployment.as_variables(),
        "release": release_variables(appliance, instance.product, deployment),
        "settings": dict(instance.settings),
    }
    return render_probes(appliance.catalogue.get(instance.product), variables, door=door, names=names)


def layers_of(appliance: Appliance, instance: Instance, deployment: Deployment, *, door: Door) -> dict[str, dict[str, Any]]:
    """The probes below the product's own, by name: of the port and of the certificate."""
    return render_layers({"crm": _crm(appliance, instance, deployment)}, door=door)


def _crm(appliance: Appliance, instance: Instance, deployment: Deployment) -> dict[str, Any]:
    """The CRM, with where it is found from elsewhere."""
    crm = crm_variables(layout_on(appliance, instance.host), instance, cluster=deployment.cluster)
    return crm | {"outside": appliance.store.hosts.get(instance.host).address}


def await_health(machine: Machine, probes: Mapping[str, Mapping[str, Any]], *, patience_seconds: float = PATIENCE_SECONDS) -> str:
    """Ask until every probe is healthy. Raises ProbeFailed with what is not when the patience is over."""
    deadline = time.monotonic() + patience_seconds
    while True:
        results = ask_probes(machine, probes.values())
        failing = [result for result in results if not result["healthy"]]
        if not failing:
            return "healthy: " + ", ".join(sorted(str(result["name"]) for result in results))
        if time.monotonic() > deadline:
            raise ProbeFailed("The CRM is not healthy: " + "; ".join(f"{result['name']}: {result['detail']}" for result in failing))
        time.sleep(PAUSE_SECONDS)


def ask_probes(machine: Machine, probes: Iterable[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    """Run probes once on the CRM's host. Raises ProbeFailed when the probes themselves cannot run, HostUnreachable and HostRefused."""
    argv = [machine.layout.tools_python, "-m", "monitoring", "probe"]
    done = ask(machine.reach, argv, given=json.dumps({"probes": list(probes)}), timeout_seconds=LONGEST_ROUND_SECONDS)
    try:
        return list(json.loads(done.stdout)["results"])
    except (ValueError, KeyError):
        raise ProbeFailed(f"The probes could not run: {done.stderr.strip().splitlines()[-1:] or done.returncode}") from None


def count_spec(appliance: Appliance, instance: Instance, deployment: Deployment) -> dict[str, Any]:
    """What the backup package needs to count the records of a deployment."""
    metrics = appliance.catalogue.get(instance.product).definition.metrics
    return {
        "database": database_spec(layout_on(appliance, instance.host), instance, deployment),
        "counts": dict(metrics.counts),
        "checksums": dict(metrics.checksums),
    }
