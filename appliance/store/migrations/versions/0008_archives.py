"""Instances whose database's log is received all the time."""

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Bring the schema forward."""
    op.add_column("instances", sa.Column("archive", sa.JSON(), nullable=True))


def downgrade() -> None:
    """Take the schema back."""
    with op.batch_alter_table("instances") as batch:
        batch.drop_column("archive")
