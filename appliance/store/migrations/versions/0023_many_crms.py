"""Indexes for what is asked of each CRM where there are many."""

from alembic import op

revision = "0023"
down_revision = "0022"
branch_labels = None
depends_on = None

INDEXES = {
    "points_of_an_instance": ("recovery_points", ["instance", "at", "id"]),
    "proofs_of_an_instance": ("recovery_points", ["instance", "proven_at"]),
    "operations_of_a_kind": ("operations", ["kind"]),
    "operations_of_a_kind_of_an_instance": ("operations", ["instance", "kind"]),
}


def upgrade() -> None:
    """Bring the schema forward."""
    for name, (table, columns) in INDEXES.items():
        op.create_index(name, table, columns)


def downgrade() -> None:
    """Take the schema back."""
    for name, (table, _) in INDEXES.items():
        op.drop_index(name, table)
