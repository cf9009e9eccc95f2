"""Where people are notified, and how long and how fast each CRM is promised to serve."""

import sqlalchemy as sa
from alembic import op

from appliance.store.columns import Moment

revision = "0014"
down_revision = "0013"
branch_labels = None
depends_on = None


PROMISES = ("availability_ratio", "latency_seconds", "latency_ratio")


def upgrade() -> None:
    """Bring the schema forward."""
    for name in PROMISES:
        op.add_column("instances", sa.Column(name, sa.Float(), nullable=True))
    op.create_table(
        "channels",
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("purpose", sa.String(), nullable=False),
        sa.Column("service", sa.String(), nullable=False),
        sa.Column("created_at", Moment(), nullable=False),
        sa.Column("severities", sa.JSON(), nullable=False),
        sa.Column("crms", sa.JSON(), nullable=False),
        sa.Column("quiet", sa.JSON(), nullable=True),
        sa.Column("told", sa.JSON(), nullable=False),
        sa.Column("note", sa.Text(), nullable=False),
        sa.Column("noted_at", Moment(), nullable=True),
        sa.Column("sent", sa.Integer(), nullable=False),
        sa.Column("failed", sa.Integer(), nullable=False),
        sa.Column("failures", sa.Integer(), nullable=False),
        sa.Column("try_at", Moment(), nullable=True),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_channels")),
    )


def downgrade() -> None:
    """Take the schema back."""
    op.drop_table("channels")
    with op.batch_alter_table("instances") as table:
        for name in PROMISES:
            table.drop_column(name)
