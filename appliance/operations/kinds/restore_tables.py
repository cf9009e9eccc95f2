"""Restore single tables of a recovery point beside the live ones, into a schema of their own in the live database."""

from collections.abc import Mapping
from typing import Annotated, Any

from pydantic import Field

from appliance.domain.instance import RecoveryPoint
from appliance.domain.operation import OperationStatus
from appliance.errors import PreflightFailed, StepFailed
from appliance.hosts.reach import ask
from appliance.operations.kinds.backup import serving
from appliance.operations.parameters import Parameters, read
from appliance.operations.preflight import database_answers, disk_has_room, require
from appliance.operations.run import Run
from appliance.operations.steps.copying import choose_point
from appliance.operations.steps.repositories import lent, source_repository
from appliance.operations.steps.subject import subject
from appliance.operations.variables import database_spec
from appliance.operations.workflow import StepDefinition, Workflow
from appliance.wiring import Appliance

MOST_TABLES = 1000
COPIES = 3
"""In the scratch database, in the live one, and its log."""
SCHEMAS = "select nspname from pg_namespace where nspname like 'restored%'"
OWNER = "crm"
"""The role that owns a CRM's data."""


class TablesParameters(Parameters):
    """`tables` by name, with their schema if it is not public. `repository` is one elsewhere that the point is read from."""

    point: str | None = None
    tables: Annotated[list[Annotated[str, Field(min_length=1, max_length=200)]], Field(min_length=1, max_length=MOST_TABLES)]
    repository: str | None = None


def accept(appliance: Appliance, instance: str, parameters: Mapping[str, Any]) -> dict[str, Any]:
    """Raises InvalidRequest, NotFound, Conflict."""
    serving(appliance, instance)
    wanted = read(TablesParameters, parameters)
    if wanted.repository is not None:
        appliance.store.repositories.get(wanted.repository)
    return {**wanted.model_dump(mode="json"), "point": choose_point(appliance, instance, wanted.point).id}


def check(run: Run) -> str:
    """Find the tables in the point, and a name for the schema. Raises PreflightFailed with the tables that there are."""
    point = _point(run)
    with lent(run, source_repository(run, point)) as repository:
        there = run.backup("tables", {"repository": repository, "crm": point.instance, "point": point.id})["tables"]
    require_there(run.operation.parameters["tables"], there)
    database, root = _live(run), run.machine.layout.cluster_root
    bytes_needed = COPIES * int(point.record["bytes_processed"])
    checked = require([database_answers(run.machine.reach, database), disk_has_room(run.machine.reach, root, bytes_needed)])
    if not run.memory.get("schema"):
        run.remember(schema=free_schema(point, _schemas(run, database)))
    return f"{checked}; they will be in the schema {run.memory['schema']}"


def require_there(wanted: list[str], there: list[str]) -> None:
    """Raises PreflightFailed with the names that there are."""
    known = {*there, *(f"public.{name}" for name in there)}
    if unknown := [name for name in wanted if name not in known]:
        missing = ", ".join(map(repr, unknown))
        raise PreflightFailed((f"the recovery point holds no table {missing}; it holds: {', '.join(there) or 'none'}",))


def free_schema(point: RecoveryPoint, taken: set[str]) -> str:
    """A schema that is called after the moment of the point, and that is not there yet."""
    name = f"restored_{point.at:%Y%m%d_%H%M}"
    return next(one for one in (name, *(f"{name}_{number}" for number in range(2, len(taken) + 3))) if one not in taken)


def restore_tables(run: Run) -> str:
    """Restore them; a call that was cut off begins anew."""
    point, schema = _point(run), run.memory["schema"]
    with lent(run, source_repository(run, point)) as repository:
        made = run.backup(
            "restore-tables",
            {
                "repository": repository,
                "crm": point.instance,
                "point": point.id,
                "tables": run.operation.parameters["tables"],
                "database": _live(run),
                "role": OWNER,
                "schema_name": schema,
                "scratch": _scratch(run),
                "again": run.interrupted,
            },
        )
    rows = ", ".join(f"{schema}.{name} ({count} rows)" for name, count in made["rows"].items())
    return f"{rows}; the live tables are as they were. When done: drop schema {schema} cascade"


def take_back(run: Run) -> None:
    """Leave neither the schema nor the scratch database. Raises StepFailed."""
    database = _live(run)
    _tell(run, database, f"drop schema if exists {run.memory['schema']} cascade")
    _tell(run, {**database, "name": "postgres"}, f"drop database if exists {_scratch(run)} with (force)")


def _scratch(run: Run) -> str:
    return f"crm_tables_{run.operation.id}"


def _point(run: Run) -> RecoveryPoint:
    return run.appliance.store.points.get(run.operation.parameters["point"])


def _live(run: Run) -> dict[str, Any]:
    instance = serving(run.appliance, subject(run).name)
    assert instance.deployment is not None  # noqa: S101 - accepted only for an instance that serves
    return database_spec(run.machine.layout, instance, instance.deployment)


def _schemas(run: Run, database: Mapping[str, Any]) -> set[str]:
    return set(_tell(run, database, SCHEMAS).split())


def _tell(run: Run, database: Mapping[str, Any], statement: str) -> str:
    """Have a database's administrator carry a statement out; gives what was answered. Raises StepFailed."""
    where = ["-h", str(database["socket_directory"]), "-p", str(database["port"]), "-U", str(database["user"]), "-d", str(database["name"])]
    done = ask(run.machine.reach, ["psql", "-qX", *where, "-v", "ON_ERROR_STOP=1", "-Atc", statement])
    if done.returncode:
        raise StepFailed(f"PostgreSQL said: {done.stderr.strip()}")
    return done.stdout


RESTORE_TABLES = Workflow(
    kind="restore-tables",
    accept=accept,
    undone=OperationStatus.FAILED,
    steps=(
        StepDefinition(name="preflight", title="Find the tables, and a schema for them", run=check),
        StepDefinition(name="tables", title="Restore the tables beside the live ones", run=restore_tables, undo=take_back),
    ),
)
