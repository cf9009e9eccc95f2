"""What the store says to somebody who only looks: it is neither made nor migrated for that, and nothing of it is a secret."""

import sqlite3
from contextlib import closing
from pathlib import Path

from appliance.domain.instance import InstanceState


def names_of_instances(database_file: Path) -> list[str]:
    """The CRMs by name; none where there is no store, or not for this user."""
    query = "SELECT name FROM instances WHERE state <> ? ORDER BY name"
    try:
        with closing(sqlite3.connect(f"{database_file.absolute().as_uri()}?mode=ro", uri=True, timeout=1)) as connection:
            return [name for (name,) in connection.execute(query, (InstanceState.SCRATCH.value,))]
    except sqlite3.Error:
        return []
