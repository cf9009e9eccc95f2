"""How visitors of a CRM are protected on their way."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Bring the schema forward; the CRMs that are there have been reached by plain HTTP."""
    op.add_column("instances", sa.Column("tls", sa.JSON(), nullable=False, server_default='{"mode": "none"}'))


def downgrade() -> None:
    """Take the schema back."""
    op.drop_column("instances", "tls")
