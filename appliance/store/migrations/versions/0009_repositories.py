"""Repositories elsewhere."""

import sqlalchemy as sa
from alembic import op

from appliance.store.columns import Moment

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Bring the schema forward."""
    op.create_table(
        "repositories",
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("location", sa.String(), nullable=False),
        sa.Column("created_at", Moment(), nullable=False),
        sa.Column("note", sa.Text(), nullable=False),
        sa.Column("noted_at", Moment(), nullable=True),
        sa.Column("works", sa.Boolean(), nullable=True),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_repositories")),
    )


def downgrade() -> None:
    """Take the schema back."""
    op.drop_table("repositories")
