"""Since when each secret is as it is, and when what a repository is asked with was replaced."""

import sqlalchemy as sa
from alembic import op

from appliance.store.columns import Moment

revision = "0026"
down_revision = "0025"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Bring the schema forward."""
    op.add_column("secrets", sa.Column("since", Moment(), nullable=True))
    op.add_column("repositories", sa.Column("credentials_at", Moment(), nullable=True))


def downgrade() -> None:
    """Take the schema back."""
    with op.batch_alter_table("repositories") as batch:
        batch.drop_column("credentials_at")
    with op.batch_alter_table("secrets") as batch:
        batch.drop_column("since")
