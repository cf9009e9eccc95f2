"""Hosts: the machines that instances run on; this one is there from the beginning."""

from datetime import UTC, datetime

import sqlalchemy as sa
from alembic import op

from appliance.store.columns import Moment

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Bring the schema forward."""
    hosts = op.create_table(
        "hosts",
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("address", sa.String(), nullable=False),
        sa.Column("port", sa.Integer(), nullable=False),
        sa.Column("user", sa.String(), nullable=False),
        sa.Column("host_key", sa.Text(), nullable=True),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("facts", sa.JSON(), nullable=False),
        sa.Column("seen_at", Moment(), nullable=True),
        sa.Column("created_at", Moment(), nullable=False),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_hosts")),
    )
    this = {"name": "localhost", "address": "127.0.0.1", "port": 22, "user": "root", "state": "added", "facts": {}}
    op.bulk_insert(hosts, [{**this, "created_at": datetime.now(UTC)}])


def downgrade() -> None:
    """Take the schema back."""
    op.drop_table("hosts")
