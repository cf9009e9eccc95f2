"""How many attempts to log in have failed, by where they came from."""

import sqlalchemy as sa
from alembic import op

from appliance.store.columns import Moment

revision = "0027"
down_revision = "0026"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Bring the schema forward."""
    op.create_table(
        "attempts",
        sa.Column("place", sa.String(64), primary_key=True),
        sa.Column("door", sa.String(), primary_key=True),
        sa.Column("failures", sa.Integer(), nullable=False),
        sa.Column("since", Moment(), nullable=False),
        sa.Column("ends_at", Moment(), nullable=False),
    )
    op.create_index("ix_attempts_ends_at", "attempts", ["ends_at"])


def downgrade() -> None:
    """Take the schema back."""
    op.drop_table("attempts")
