"""Passkeys, the challenges of theirs that were answered, and whether a second factor has an app."""

import sqlalchemy as sa
from alembic import op

from appliance.store.columns import Moment

revision = "0018"
down_revision = "0017"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Bring the schema forward."""
    op.create_table(
        "passkeys",
        sa.Column("id", sa.String(32), nullable=False),
        sa.Column("user", sa.String(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("credential", sa.LargeBinary(), nullable=False),
        sa.Column("public_key", sa.LargeBinary(), nullable=False),
        sa.Column("handle", sa.LargeBinary(), nullable=False),
        sa.Column("sign_count", sa.Integer(), nullable=False),
        sa.Column("created_at", Moment(), nullable=False),
        sa.Column("last_used_at", Moment(), nullable=True),
        sa.ForeignKeyConstraint(["user"], ["users.name"], name=op.f("fk_passkeys_user"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_passkeys")),
        sa.UniqueConstraint("user", "name", name=op.f("uq_passkeys_user")),
    )
    op.create_table(
        "answered_challenges",
        sa.Column("digest", sa.String(64), nullable=False),
        sa.Column("expires_at", Moment(), nullable=False),
        sa.PrimaryKeyConstraint("digest", name=op.f("pk_answered_challenges")),
    )
    op.add_column("second_factors", sa.Column("has_app", sa.Boolean(), nullable=False, server_default=sa.true()))


def downgrade() -> None:
    """Take the schema back."""
    op.execute("DELETE FROM recovery_codes WHERE user IN (SELECT user FROM second_factors WHERE NOT has_app)")
    op.execute("DELETE FROM second_factors WHERE NOT has_app")
    with op.batch_alter_table("second_factors") as table:
        table.drop_column("has_app")
    op.drop_table("answered_challenges")
    op.drop_table("passkeys")
