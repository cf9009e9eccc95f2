"""Schedules, and the switch that pauses all of them."""

import sqlalchemy as sa
from alembic import op

from appliance.store.columns import Moment

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Bring the schema forward."""
    op.create_table(
        "schedules",
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("subject", sa.String(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("parameters", sa.JSON(), nullable=False),
        sa.Column("window", sa.JSON(), nullable=False),
        sa.Column("catch_up", sa.String(), nullable=False),
        sa.Column("stop_after", sa.Integer(), nullable=False),
        sa.Column("paused", sa.Boolean(), nullable=False),
        sa.Column("created_at", Moment(), nullable=False),
        sa.Column("dealt_with", Moment(), nullable=False),
        sa.Column("counted_from", Moment(), nullable=False),
        sa.Column("note", sa.Text(), nullable=False),
        sa.Column("noted_at", Moment(), nullable=True),
        sa.Column("operation", sa.Integer(), nullable=True),
        sa.PrimaryKeyConstraint("name", name="pk_schedules"),
    )
    op.create_index("ix_schedules_subject", "schedules", ["subject"])
    op.create_table(
        "switches",
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("since", Moment(), nullable=False),
        sa.Column("by", sa.String(), nullable=False),
        sa.PrimaryKeyConstraint("name", name="pk_switches"),
    )


def downgrade() -> None:
    """Take the schema back."""
    op.drop_table("switches")
    op.drop_table("schedules")
