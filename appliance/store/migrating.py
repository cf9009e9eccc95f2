"""Bring the schema of the store's file up to date by Alembic."""

import threading
from pathlib import Path

from alembic import command
from alembic.config import Config
from sqlalchemy import Engine

_MIGRATING = threading.Lock()
"""Alembic keeps what it works on in its modules: one migration at a time in a process, also of two files."""


def migrate(engine: Engine, migrations: Path) -> None:
    """Take all migrations that are left, in one transaction; whoever comes second finds nothing left."""
    configuration = Config()
    configuration.set_main_option("script_location", str(migrations))
    with engine.execution_options(immediate=True).connect() as connection:
        configuration.attributes["connection"] = connection
        with _MIGRATING, connection.begin():
            command.upgrade(configuration, "head")
