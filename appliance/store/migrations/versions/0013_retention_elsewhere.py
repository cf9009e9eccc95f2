"""What is kept in a repository elsewhere, where retention runs there with credentials that no host has."""

import sqlalchemy as sa
from alembic import op

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Bring the schema forward."""
    op.add_column("repositories", sa.Column("retention", sa.JSON(), nullable=True))


def downgrade() -> None:
    """Take the schema back."""
    with op.batch_alter_table("repositories") as table:
        table.drop_column("retention")
