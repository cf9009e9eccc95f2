"""How much each CRM is worked with, and whether that is measured; who is sent the weekly digest; which outage a notice is about."""

import sqlalchemy as sa
from alembic import op

from appliance.store.columns import Moment

revision = "0015"
down_revision = "0014"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Bring the schema forward."""
    op.add_column("instances", sa.Column("measures_adoption", sa.Boolean(), nullable=False, server_default=sa.true()))
    op.add_column("channels", sa.Column("weekly", sa.Boolean(), nullable=False, server_default=sa.false()))
    op.add_column("channels", sa.Column("weekly_at", Moment(), nullable=True))
    op.add_column("notices", sa.Column("outage_at", Moment(), nullable=True))
    op.create_table(
        "adoption",
        sa.Column("instance", sa.String(), nullable=False),
        sa.Column("tried_at", Moment(), nullable=False),
        sa.Column("answer", sa.JSON(), nullable=False),
        sa.PrimaryKeyConstraint("instance", name=op.f("pk_adoption")),
    )


def downgrade() -> None:
    """Take the schema back."""
    op.drop_table("adoption")
    with op.batch_alter_table("notices") as batch:
        batch.drop_column("outage_at")
    with op.batch_alter_table("channels") as batch:
        for name in ("weekly", "weekly_at"):
            batch.drop_column(name)
    with op.batch_alter_table("instances") as batch:
        batch.drop_column("measures_adoption")
