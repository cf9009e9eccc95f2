"""How long bringing back took, found in an index: records of recovery points are long, and it stands behind them."""

import sqlalchemy as sa
from alembic import op

revision = "0031"
down_revision = "0030"
branch_labels = None
depends_on = None

INDEX, TABLE = "proofs_of_an_instance", "recovery_points"
COLUMN = "measured_rto_seconds"


def upgrade() -> None:
    """Bring the schema forward."""
    op.drop_index(INDEX, TABLE)
    op.add_column(TABLE, sa.Column(COLUMN, sa.Float(), sa.Computed("json_extract(proof, '$.rto_seconds')", persisted=False)))
    op.create_index(INDEX, TABLE, ["instance", "proven_at", "at", COLUMN])


def downgrade() -> None:
    """Take the schema back."""
    op.drop_index(INDEX, TABLE)
    op.drop_column(TABLE, COLUMN)
    op.create_index(INDEX, TABLE, ["instance", "proven_at"])
