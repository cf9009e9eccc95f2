"""Keep the log of a database's server coming, until somebody ends it."""

from pydantic import JsonValue

from backup.actions.stream_binlog import stream_binlog
from backup.actions.stream_wal import stream_wal
from backup.database_spec import MariaDBSpec
from backup.events import Reporter
from backup.failures import leaving_unchanged
from backup.spec_log import StreamSpec


def stream(spec: StreamSpec, reporter: Reporter) -> dict[str, JsonValue]:
    """Receive it as it is written, and ship it again and again."""
    with leaving_unchanged("The log that was received so far is kept."):
        if isinstance(spec.database, MariaDBSpec):
            stream_binlog(spec, spec.database, reporter)
        stream_wal(spec, spec.database, reporter)
