"""When the appliance's own state was kept in a repository elsewhere, and when the recovery kit was seen to open it."""

import sqlalchemy as sa
from alembic import op

from appliance.store.columns import Moment

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Bring the schema forward."""
    for name in ("state_kept_at", "kit_proven_at"):
        op.add_column("repositories", sa.Column(name, Moment(), nullable=True))


def downgrade() -> None:
    """Take the schema back."""
    with op.batch_alter_table("repositories") as table:
        for name in ("state_kept_at", "kit_proven_at"):
            table.drop_column(name)
