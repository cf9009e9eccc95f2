"""Tokens that carry less than all of a user's rights, and that end."""

import sqlalchemy as sa
from alembic import op

revision = "0032"
down_revision = "0031"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Bring the schema forward."""
    op.add_column("tokens", sa.Column("scope", sa.String(), nullable=False, server_default="administrator"))
    op.add_column("tokens", sa.Column("expires_at", sa.String(32), nullable=True))


def downgrade() -> None:
    """Take the schema back."""
    op.drop_column("tokens", "expires_at")
    op.drop_column("tokens", "scope")
