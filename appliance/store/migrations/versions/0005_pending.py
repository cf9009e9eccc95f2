"""What was pending for each instance and host when it was asked last."""

import sqlalchemy as sa
from alembic import op

from appliance.store.columns import Moment

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Bring the schema forward."""
    op.create_table(
        "pending",
        sa.Column("subject", sa.String(), nullable=False),
        sa.Column("asked_at", Moment(), nullable=False),
        sa.Column("answer", sa.JSON(), nullable=False),
        sa.PrimaryKeyConstraint("subject", name="pk_pending"),
    )


def downgrade() -> None:
    """Take the schema back."""
    op.drop_table("pending")
