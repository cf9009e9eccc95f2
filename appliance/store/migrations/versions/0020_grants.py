"""Which CRMs somebody may operate who otherwise only sees."""

import sqlalchemy as sa
from alembic import op

from appliance.store.columns import Moment

revision = "0020"
down_revision = "0019"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Bring the schema forward."""
    op.create_table(
        "grants",
        sa.Column("user", sa.String(), nullable=False),
        sa.Column("instance", sa.String(), nullable=False),
        sa.Column("since", Moment(), nullable=False),
        sa.ForeignKeyConstraint(["user"], ["users.name"], name=op.f("fk_grants_user"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("user", "instance", name=op.f("pk_grants")),
    )


def downgrade() -> None:
    """Take the schema back."""
    op.drop_table("grants")
