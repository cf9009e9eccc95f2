"""What is promised of each CRM for the worst day."""

import sqlalchemy as sa
from alembic import op

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Bring the schema forward."""
    for name in ("rpo_seconds", "rto_seconds"):
        op.add_column("instances", sa.Column(name, sa.Integer(), nullable=True))


def downgrade() -> None:
    """Take the schema back."""
    with op.batch_alter_table("instances") as table:
        for name in ("rpo_seconds", "rto_seconds"):
            table.drop_column(name)
