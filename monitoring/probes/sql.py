"""Asks the CRM's database one question, as a role that can only read."""

from typing import TYPE_CHECKING, Literal

from monitoring.probes.base import ProbeBase, Result, Scalar, difference, healthy, one_line, same_value, unhealthy

if TYPE_CHECKING:
    from psycopg import Error

QUERY_CANCELED = "57014"
"""An SQLSTATE of PostgreSQL."""


class Probe(ProbeBase):
    """A query over the cluster's unix socket. Without `equals` any row will do."""

    kind: Literal["sql"]
    socket_directory: str
    port: int
    user: str = "crm_monitor"
    database: str
    query: str
    equals: Scalar = None


async def check(probe: Probe) -> Result:
    """Healthy when the first column of the first row is the expected value."""
    import psycopg  # noqa: PLC0415 - whoever only knows of probes needs no driver, which takes a tenth of a second

    try:
        row = await _first_row(probe)
    except psycopg.Error as error:
        return unhealthy(_describe(error))
    if row is None:
        return unhealthy("the query found no row")
    if probe.equals is not None and not same_value(row[0], probe.equals):
        return unhealthy(difference(row[0], probe.equals))
    return healthy("the database answered")


async def _first_row(probe: Probe) -> tuple[object, ...] | None:
    import psycopg  # noqa: PLC0415 - as above

    # The server ends the query by itself shortly before we would give up, so no query outlives its probe.
    limit_ms = max(1, int(probe.timeout_seconds * 900))
    connection = await psycopg.AsyncConnection.connect(
        host=probe.socket_directory,
        port=probe.port,
        user=probe.user,
        dbname=probe.database,
        connect_timeout=max(2, int(probe.timeout_seconds)),
        application_name="crm-appliance-monitor",
        options=f"-c default_transaction_read_only=on -c statement_timeout={limit_ms}",
    )
    async with connection:
        await connection.set_read_only(True)
        cursor = await connection.execute(probe.query)
        return await cursor.fetchone()


def _describe(error: "Error") -> str:
    if error.sqlstate == QUERY_CANCELED:
        return "the query took too long"
    # A refusal while connecting comes without fields, only as text behind the address.
    refusal = error.diag.message_primary or str(error).partition("FATAL:")[2]
    return f"the database refused: {one_line(refusal, 100)}" if refusal else "no connection to the database"
