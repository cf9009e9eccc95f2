"""Which CRMs the status page shows, and what their users are told there."""

import sqlalchemy as sa
from alembic import op

from appliance.store.columns import Moment

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Bring the schema forward."""
    op.add_column("instances", sa.Column("is_public", sa.Boolean(), nullable=False, server_default=sa.false()))
    op.create_table(
        "notices",
        sa.Column("id", sa.Integer(), primary_key=True),
        sa.Column("instance", sa.String(), nullable=False),
        sa.Column("at", Moment(), nullable=False),
        sa.Column("by", sa.String(), nullable=False),
        sa.Column("text", sa.String(), nullable=False),
    )
    op.create_index("ix_notices_instance", "notices", ["instance"])


def downgrade() -> None:
    """Take the schema back."""
    op.drop_table("notices")
    with op.batch_alter_table("instances") as batch:
        batch.drop_column("is_public")
