"""Let other releases take over the database, one after the other, and see that all is there; the original is only read."""

from dataclasses import dataclass
from itertools import pairwise
from typing import Any

from appliance.domain.instance import Deployment
from appliance.domain.product_steps import Check
from appliance.domain.versions import Path as VersionPath
from appliance.domain.versions import itinerary
from appliance.errors import StepFailed
from appliance.operations.preflight import queries_hold
from appliance.operations.run import Run
from appliance.operations.steps.deploying import at_once, compare_records, count_records, stop, verify
from appliance.operations.steps.subject import new, old, stops, subject, told
from appliance.operations.steps.takeover import enter_maintenance, serve_old_again
from appliance.operations.variables import database_spec, source_variables, steps_variables


def migrate(run: Run) -> None:
    """Take the database over, and count the original's records meanwhile: it stands still from now on, and visitors wait."""
    at_once(lambda: _take_over(run), lambda: run.remember(original=count_records(run, old(run))))


def _take_over(run: Run) -> None:
    """Promote the standby, let the next release migrate it, hop by hop, and start the last on its private port.

    Each hop is one playbook run, since visitors wait, and has a database of its own: one that had come to its end is not begun again.
    """
    hops = _hops(run)
    for hop in hops:
        if hop != hops[0]:  # those of the first were asked before anything was changed
            _require(run, hop.source, hop.path.pre_checks)
        run.log(f"{hop.path.source.version} to {hop.path.target.version}")
        run.playbook("deployment_migrate", hop.told(run))
        if hop != hops[-1]:  # those of the last are asked together with all else
            _require(run, hop.target, hop.path.post_checks)


def close_for_a_migration(run: Run) -> None:
    """Close the CRM for the first hop; what stops its deployment is loaded, too, should it fail."""
    enter_maintenance(run, ("deployment_migrate", _hops(run)[0].told(run)), ("deployment_stop", told(run)))


def open_again(run: Run) -> None:
    """Let visitors back to the old deployment, then stop the new one, for which nobody needs to wait."""
    serve_old_again(run)
    stop(run)


@dataclass(frozen=True, kw_only=True)
class _Hop:
    path: VersionPath
    source: Deployment
    target: Deployment

    def told(self, run: Run) -> dict[str, Any]:
        taken = source_variables(run.machine.layout, subject(run), self.source)
        more = {"source": taken, "steps": steps_variables(self.path.steps), "start_services": self.target == new(run)}
        if self.path.hop and self.path.hop.pre_sql:
            more["pre_sql"] = self.path.hop.pre_sql
        return told(run, self.target, **more)


def _hops(run: Run) -> list[_Hop]:
    deployments = (old(run), *stops(run), new(run))
    paths = ways(run, old(run).version)
    return [_Hop(path=path, source=source, target=target) for path, (source, target) in zip(paths, pairwise(deployments), strict=True)]


def verify_upgrade(run: Run) -> str:
    """Healthy, with every record of the original, and with what the product itself wants to be true after this hop."""
    last = ways(run, old(run).version)[-1]
    healthy, after, _ = at_once(
        lambda: verify(run),
        lambda: count_records(run, new(run)),
        lambda: _require(run, new(run), last.post_checks),
    )
    return f"{healthy}; {compare_records(run.memory['original'], after)}"


def _require(run: Run, deployment: Deployment, checks: tuple[Check, ...]) -> None:
    database = database_spec(run.machine.layout, subject(run), deployment)
    made = queries_hold(run.machine.reach, checks, database)
    if broken := [problem for check in made if (problem := check()) is not None]:
        raise StepFailed("; ".join(broken))


def ways(run: Run, from_release: str) -> tuple[VersionPath, ...]:
    """The hops from a release to the wanted one, or to itself from another lock. Raises InvalidRequest where the product allows none."""
    product = run.appliance.catalogue.get(subject(run).product)
    return itinerary(product.definition, from_release, run.operation.parameters["to"], anew=True)
