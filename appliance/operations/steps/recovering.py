"""Bring a database back from its files and its log: to a recovery point that is marked there, or to any moment."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from appliance.domain.instance import Instance, RecoveryPoint
from appliance.errors import CommandFailed, PreflightFailed
from appliance.operations.run import Run
from appliance.operations.steps.archiving import ship_now
from appliance.operations.steps.repositories import lent, source_repository
from appliance.operations.steps.subject import new, subject, told

LATEST = "latest"
"""The moment that is as late as possible: everything that was received."""


def find_base(run: Run, point: RecoveryPoint, at: str | None) -> dict[str, Any]:
    """The newest base that leads to a moment, or else to the point's. Raises PreflightFailed with what can be gone back to."""
    source = run.appliance.store.instances.find(point.instance)
    if source is not None and source.host == run.machine.host.name:
        _ship_what_is_received(run, source, needed=at == LATEST)
    with lent(run, source_repository(run, point)) as repository:
        listed = run.backup("bases", {"repository": repository, "crm": point.instance})
    bases: list[dict[str, Any]] = [base for base in listed["bases"] if base["until"] is not None]
    wanted = bases[0]["at"] if at == LATEST and bases else at or point.at.isoformat()
    fit = [base for base in bases if _leads_to(base, wanted, log=None if at else point.record["wal"]["log"])]
    if not fit:
        raise PreflightFailed((f"nothing leads back to {wanted}: {_reach(bases)}",))
    return fit[0]


def _ship_what_is_received(run: Run, source: Instance, *, needed: bool) -> None:
    """Ship it, since it may lead to the moment; what was shipped before may do so all the same where it cannot be."""
    try:
        ship_now(run, source)
    except CommandFailed as failure:
        if needed:
            raise
        run.log(f"what was received last could not be shipped: {failure}")


def _leads_to(base: Mapping[str, Any], wanted: str, *, log: str | None) -> bool:
    if log not in (None, base["log"]):
        return False
    return _moment(base, "at") <= datetime.fromisoformat(wanted) < _moment(base, "until")


def prepare_cluster(run: Run) -> None:
    """A cluster of the deployment's own without any data; the deployment's services are told to wait for it."""
    run.playbook("cluster_recover", told(run, recovery_state="prepared", cluster_version=_version(run)))


def recover_database(run: Run, point: RecoveryPoint, repository: Mapping[str, Any], *, files: Mapping[str, Any]) -> None:
    """Let the prepared cluster be as it was at the wanted moment, with the one database that served then; bring files back beside it."""
    wal = f"{new(run).directory}/wal"
    at = run.memory.get("at")
    wanted = {} if at == LATEST else {"at": at} if at else {"point": point.id}
    run.backup(
        "recover",
        {
            "repository": repository,
            "crm": point.instance,
            "target": str(run.machine.layout.cluster_root / _version(run) / subject(run).cluster(new(run).cluster)),
            "wal": wal,
            **wanted,
            **({"beside": {"point": point.id, **files}} if files else {}),
        },
    )
    source = {"database": run.memory["base"]["record"]["deployment"]["database"]}
    run.playbook("cluster_recover", told(run, recovery_state="recovered", source=source, cluster_wal=wal))


def _version(run: Run) -> str:
    return str(run.memory["base"]["version"]).partition(".")[0]


def _moment(base: Mapping[str, Any], name: str) -> datetime:
    return datetime.fromisoformat(base[name])


def _reach(bases: Sequence[dict[str, Any]]) -> str:
    if not bases:
        return "there is no base with its log; begin with: appliance archive NAME"
    earliest, latest = min(_moment(base, "at") for base in bases), max(_moment(base, "until") for base in bases)
    return f"bases and logs lead back to moments between {earliest:%Y-%m-%d %H:%M:%S} and {latest:%Y-%m-%d %H:%M:%S} UTC"
