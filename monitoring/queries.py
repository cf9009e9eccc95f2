"""`python -m monitoring query`: questions to a CRM's database on standard input, rows on standard output.

The questions wait for everybody else: this program and the database's process that serves it have the least priority, and the database
ends a question that takes too long. They are asked as a role that can only read, in a transaction that can only read.
"""

import json
import os
import sys
from collections.abc import Mapping
from contextlib import suppress
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any, TextIO

import psycopg
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from monitoring.once import BAD_INPUT, explain
from monitoring.probes.base import one_line

ANSWERED, UNANSWERED = 0, 1
LEAST_PRIORITY = 19
CONNECT_SECONDS = 10
MOST_ROWS = 20_000


class Questions(BaseModel):
    """What is read from standard input; `questions` is SQL by name, each of which may take `timeout_seconds`."""

    model_config = ConfigDict(extra="forbid")

    socket_directory: str
    port: int
    user: str = "crm_monitor"
    database: str
    timeout_seconds: float = Field(default=30, gt=0, le=600)
    questions: dict[str, str]


class TooManyRows(Exception):
    """A question has more rows than anybody wants to know."""


def query(source: TextIO, sink: TextIO) -> int:
    """Asks all and returns the exit code. All questions are answered, or none; why not is said on standard error."""
    try:
        wanted = Questions.model_validate_json(source.read())
    except ValidationError as error:
        print(f"The questions cannot be read; nothing was asked. {explain(error)}", file=sys.stderr)
        return BAD_INPUT
    os.nice(LEAST_PRIORITY)
    try:
        answer = json.dumps({"rows": _ask(wanted)}, default=_as_json)
    except (psycopg.Error, TooManyRows) as error:
        print(f"The database did not answer: {one_line(str(error))}", file=sys.stderr)
        return UNANSWERED
    print(answer, file=sink)
    return ANSWERED


def _ask(wanted: Questions) -> Mapping[str, list[Any]]:
    limit_ms = max(1, int(wanted.timeout_seconds * 1000))
    bounds = {"default_transaction_read_only": "on", "statement_timeout": limit_ms, "lock_timeout": limit_ms}
    # Helpers of the database's process would not share its priority.
    bounds |= {"max_parallel_workers_per_gather": 0, "jit": "off"}
    with psycopg.connect(
        host=wanted.socket_directory,
        port=wanted.port,
        user=wanted.user,
        dbname=wanted.database,
        connect_timeout=CONNECT_SECONDS,
        application_name="crm-appliance-adoption",
        options=" ".join(f"-c {name}={value}" for name, value in bounds.items()),
    ) as connection:
        connection.read_only = True
        _wait_for_others(connection.info.backend_pid)
        return {name: _rows(connection, name, sql) for name, sql in wanted.questions.items()}


def _rows(connection: psycopg.Connection[Any], name: str, sql: str) -> list[Any]:
    found = connection.execute(sql).fetchmany(MOST_ROWS + 1)
    if len(found) > MOST_ROWS:
        raise TooManyRows(f"{name} has more than {MOST_ROWS} rows")
    return found


def _wait_for_others(process: int) -> None:
    """Gives the database's process the least priority, for the processor and, by it, for the disk; as far as we may."""
    with suppress(OSError):
        if Path(f"/proc/{process}/comm").read_text(encoding="utf-8").startswith("postgres"):
            os.setpriority(os.PRIO_PROCESS, process, LEAST_PRIORITY)


def _as_json(value: object) -> object:
    if isinstance(value, date | datetime):
        return value.isoformat()
    if isinstance(value, Decimal):
        return float(value)
    raise psycopg.DataError(f"a question is answered with {type(value).__name__}, which is neither a number, a text nor a time")
