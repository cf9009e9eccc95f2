"""Instances that ask for a second person's approval, and operations that wait for it."""

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Bring the schema forward."""
    op.add_column("instances", sa.Column("asks_approval", sa.Boolean(), nullable=False, server_default=sa.false()))
    op.add_column("operations", sa.Column("awaits_approval", sa.Boolean(), nullable=False, server_default=sa.false()))
    op.add_column("operations", sa.Column("approved_by", sa.String(), nullable=True))


def downgrade() -> None:
    """Take the schema back."""
    for table, column in (("operations", "approved_by"), ("operations", "awaits_approval"), ("instances", "asks_approval")):
        with op.batch_alter_table(table) as batch:
            batch.drop_column(column)
