"""Single tables out of a dump: what it holds, and how some of them get into a schema of their own beside the live ones.

They go by way of a scratch database, since a table of a dump comes back under its own name and schema only. Everything is done as the
role that owns the CRM's data: what that role has written (a check, a domain) must not run with an administrator's rights.
"""

import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from subprocess import PIPE

import psycopg
from psycopg import sql

from backup.children import bytes_as_file, started
from backup.database_spec import PostgreSQLSpec
from backup.engines.postgresql import connected, connection_arguments, only
from backup.failures import BackupFailure

TABLE_DATA = "TABLE DATA"
LEFT_OUT = (TABLE_DATA, "SEQUENCE SET", "MATERIALIZED VIEW DATA", "BLOBS", "BLOB", "DEFAULT ACL", "ACL", "COMMENT")
"""What an archive holds that no table of its own schema needs."""
ENTRY = re.compile(rf"^\d+; \d+ \d+ (?P<what>{'|'.join(LEFT_OUT)}|[A-Z ]+?) (?P<schema>\S+) (?P<name>.+) \S*$")
"""A line of `pg_restore --list`: a number, two of PostgreSQL's own, what it is, schema or dash, name, owner if it has one."""
LIKE_LIVE = "select pg_encoding_to_char(encoding), datcollate, datctype from pg_database where datname = %s"


@dataclass(frozen=True, kw_only=True, order=True)
class Table:
    """A table of a dump."""

    schema: str
    name: str

    def __str__(self) -> str:
        """As people name it: without the schema that goes without saying."""
        return self.name if self.schema == "public" else f"{self.schema}.{self.name}"


def tables_in(listing: str) -> list[Table]:
    """The tables with rows of their own in what `pg_restore --list` says.

    >>> [str(table) for table in tables_in("; head\\n215; 1259 16 TABLE public a crm\\n331; 0 16 TABLE DATA public a b crm")]
    ['a b']
    """
    entries = (ENTRY.match(line) for line in listing.splitlines())
    return sorted(Table(schema=one["schema"], name=one["name"]) for one in entries if one and one["what"] == TABLE_DATA)


def chosen(names: Sequence[str], there: Sequence[Table]) -> list[Table]:
    """The tables of those names. Raises a failure `table_missing` with the names that there are."""
    known = {f"{table.schema}.{table.name}": table for table in there} | {str(table): table for table in there}
    if unknown := sorted(set(names) - known.keys()):
        missing, held = ", ".join(map(repr, unknown)), ", ".join(map(str, there)) or "none"
        raise BackupFailure(f"The recovery point holds no table {missing}. It holds: {held}.", code="table_missing")
    return list(dict.fromkeys(known[name] for name in names))


def wanted_entries(listing: str, tables: Sequence[Table]) -> str:
    """What of the listing has to be restored so that the tables can be: every definition, and the rows of these alone."""
    return "\n".join(line for line in listing.splitlines() if _is_wanted(ENTRY.match(line), tables))


def _is_wanted(entry: re.Match[str] | None, tables: Sequence[Table]) -> bool:
    if entry is None:
        return False
    is_chosen = entry["what"] == TABLE_DATA and Table(schema=entry["schema"], name=entry["name"]) in tables
    return is_chosen or entry["what"] not in LEFT_OUT


@contextmanager
def scratch_database(live: PostgreSQLSpec, name: str, *, role: str) -> Iterator[PostgreSQLSpec]:
    """An empty database beside the live one, which is gone afterwards; one that a run before has left is thrown away first."""
    server = live.model_copy(update={"name": "postgres"})
    drop = sql.SQL("drop database if exists {} with (force)").format(sql.Identifier(name))
    with connected(server) as connection:
        encoding, collation, kinds = only(connection, LIKE_LIVE, live.name)
        connection.execute(drop)
        made = sql.SQL("create database {} owner {} template template0 encoding {} lc_collate {} lc_ctype {}")
        connection.execute(
            made.format(sql.Identifier(name), sql.Identifier(role), sql.Literal(encoding), sql.Literal(collation), sql.Literal(kinds))
        )
    try:
        yield live.model_copy(update={"name": name})
    finally:
        with connected(server) as connection:
            connection.execute(drop)


def gather(scratch: PostgreSQLSpec, tables: Sequence[Table], *, schema: str, role: str) -> None:
    """Copy the tables into a schema of their own: columns and rows, and nothing that could act or hold on to something else."""
    with connected(scratch) as connection, connection.transaction():
        connection.execute(sql.SQL("set local role {}").format(sql.Identifier(role)))
        connection.execute(sql.SQL("create schema {}").format(sql.Identifier(schema)))
        for table, name in zip(tables, names_in(tables), strict=True):
            into, source = sql.Identifier(schema, name), sql.Identifier(table.schema, table.name)
            connection.execute(sql.SQL("create table {} as table {}").format(into, source))


def names_in(tables: Sequence[Table]) -> list[str]:
    """What the tables are called in the schema of their own: two of one name are told apart by their schemas'.

    >>> names_in([Table(schema="public", name="a"), Table(schema="old", name="a"), Table(schema="old", name="b")])
    ['public_a', 'old_a', 'b']
    """
    names = [table.name for table in tables]
    return [table.name if names.count(table.name) == 1 else f"{table.schema}_{table.name}" for table in tables]


def hand_over(scratch: PostgreSQLSpec, live: PostgreSQLSpec, *, schema: str, role: str) -> None:
    """Bring the schema into the live database, in one transaction. Raises a failure `restore_failed`; then nothing of it is there."""
    dump = ["pg_dump", *connection_arguments(scratch), "--format=custom", "--compress=0", f"--schema={schema}", "--no-owner"]
    load = ["pg_restore", *connection_arguments(live), "--no-owner", f"--role={role}", "--single-transaction", "--exit-on-error"]
    with (
        bytes_as_file(b"") as said,
        started(dump, stdout=PIPE, stderr=said) as source,
        started(load, stdin=source.stdout or PIPE, stdout=said, stderr=said) as sink,
    ):
        if source.stdout:
            source.stdout.close()  # or it would wait for ever for a reader that is gone
        codes = (sink.wait(), source.wait())
        said.seek(0)
        if any(codes):
            told = said.read().decode(errors="replace").strip() or "no reason was given"
            raise BackupFailure(f"The tables did not get into the live database: {told}.", code="restore_failed")


def drop_schema(live: PostgreSQLSpec, schema: str) -> None:
    """Take a schema away that a run before has left."""
    with connected(live) as connection:
        connection.execute(sql.SQL("drop schema if exists {} cascade").format(sql.Identifier(schema)))


def rows_of(live: PostgreSQLSpec, schema: str, names: Sequence[str]) -> dict[str, int]:
    """Count what is there now."""
    with connected(live) as connection:
        return {name: _count(connection, sql.Identifier(schema, name)) for name in names}


def _count(connection: psycopg.Connection, table: sql.Identifier) -> int:
    row = connection.execute(sql.SQL("select count(*) from {}").format(table)).fetchone()
    return int(row[0]) if row else 0
