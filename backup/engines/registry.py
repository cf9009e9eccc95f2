"""Which engines there are, by the name that a database spec gives."""

from backup.engines.postgresql import PostgreSQL
from backup.engines.shape import Engine

ENGINES: dict[str, Engine] = {"postgresql": PostgreSQL()}
