"""Restore single tables of a recovery point into the live database, into a schema of their own: never over the live ones."""

from pydantic import JsonValue

from backup.actions.tables import listing_of
from backup.children import bytes_as_file
from backup.database_spec import PostgreSQLSpec
from backup.engines import postgresql_tables
from backup.engines.postgresql import DUMP_FILE, PostgreSQL
from backup.engines.postgresql_tables import Table
from backup.events import Reporter
from backup.failures import leaving_unchanged
from backup.points import RecoveryPoint
from backup.recorded import point_held
from backup.repository import Repository, open_repository
from backup.spec_files import RestoreTablesSpec
from backup.streaming import stream


def restore_tables(spec: RestoreTablesSpec, reporter: Reporter) -> dict[str, JsonValue]:
    """Give what the tables are called there, and how many rows each has.

    Raises a failure `part_missing`, `table_missing`, `database_failed` or `restore_failed`.
    """
    with leaving_unchanged("The live database is as it was."):
        repository = open_repository(spec.repository, reporter)
        point = point_held(repository, spec.point, crm=spec.crm)
        listing = listing_of(repository, point)
        chosen = postgresql_tables.chosen(spec.tables, postgresql_tables.tables_in(listing))
        if spec.again:
            postgresql_tables.drop_schema(spec.database, spec.schema_name)
        with postgresql_tables.scratch_database(spec.database, spec.scratch, role=spec.role) as scratch:
            _fill(repository, point, scratch, entries=postgresql_tables.wanted_entries(listing, chosen), role=spec.role)
            _bring(scratch, spec, chosen)
    names = postgresql_tables.names_in(chosen)
    rows: dict[str, JsonValue] = dict(postgresql_tables.rows_of(spec.database, spec.schema_name, names))
    return {"schema": spec.schema_name, "rows": rows}


def _fill(repository: Repository, point: RecoveryPoint, scratch: PostgreSQLSpec, *, entries: str, role: str) -> None:
    with bytes_as_file(entries.encode()) as file:
        command = [
            *PostgreSQL(scratch).restore_command(role=role),
            *("--section=pre-data", "--section=data", f"--use-list=/dev/fd/{file.fileno()}"),
        ]
        stream(
            repository.executor,
            snapshot=str(point.snapshots.database),
            filename=DUMP_FILE,
            into=command,
            expected_bytes=point.sizes.get("database"),
            lent=[file.fileno()],
        )


def _bring(scratch: PostgreSQLSpec, spec: RestoreTablesSpec, chosen: list[Table]) -> None:
    postgresql_tables.gather(scratch, chosen, schema=spec.schema_name, role=spec.role)
    postgresql_tables.hand_over(scratch, spec.database, schema=spec.schema_name, role=spec.role)
