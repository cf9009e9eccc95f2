"""Why all schedules are paused, and until when."""

import sqlalchemy as sa
from alembic import op

from appliance.store.columns import Moment

revision = "0029"
down_revision = "0028"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Bring the schema forward."""
    op.add_column("switches", sa.Column("reason", sa.String(), nullable=False, server_default=""))
    op.add_column("switches", sa.Column("until", Moment(), nullable=True))


def downgrade() -> None:
    """Take the schema back."""
    with op.batch_alter_table("switches") as batch:
        batch.drop_column("until")
        batch.drop_column("reason")
