"""What needs attention and was put out of sight for a while."""

import sqlalchemy as sa
from alembic import op

from appliance.store.columns import Moment

revision = "0024"
down_revision = "0023"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Bring the schema forward."""
    op.create_table(
        "snoozes",
        sa.Column("key", sa.String(), primary_key=True),
        sa.Column("until", Moment(), nullable=False),
        sa.Column("by", sa.String(), nullable=False),
        sa.Column("at", Moment(), nullable=False),
    )


def downgrade() -> None:
    """Take the schema back."""
    op.drop_table("snoozes")
