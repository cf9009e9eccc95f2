"""A second factor of the log-in, the recovery codes for it, and when a browser session has last shown who it is."""

import sqlalchemy as sa
from alembic import op

from appliance.store.columns import Moment

revision = "0017"
down_revision = "0016"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Bring the schema forward."""
    op.create_table(
        "second_factors",
        sa.Column("user", sa.String(), nullable=False),
        sa.Column("since", Moment(), nullable=False),
        sa.Column("last_step", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["user"], ["users.name"], name=op.f("fk_second_factors_user"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("user", name=op.f("pk_second_factors")),
    )
    op.create_table(
        "recovery_codes",
        sa.Column("user", sa.String(), nullable=False),
        sa.Column("code_hash", sa.String(64), nullable=False),
        sa.ForeignKeyConstraint(["user"], ["second_factors.user"], name=op.f("fk_recovery_codes_user"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("user", "code_hash", name=op.f("pk_recovery_codes")),
    )
    op.add_column("sessions", sa.Column("confirmed_at", Moment(), nullable=True))


def downgrade() -> None:
    """Take the schema back."""
    with op.batch_alter_table("sessions") as table:
        table.drop_column("confirmed_at")
    op.drop_table("recovery_codes")
    op.drop_table("second_factors")
