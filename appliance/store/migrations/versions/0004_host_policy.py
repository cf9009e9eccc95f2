"""How a host is kept beside its instances: clock, security updates, firewall."""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Bring the schema forward; an empty policy is the default one."""
    op.add_column("hosts", sa.Column("policy", sa.JSON(), nullable=False, server_default="{}"))


def downgrade() -> None:
    """Take the schema back."""
    op.drop_column("hosts", "policy")
