"""The audit becomes a chain that nothing but new entries can be added to; a browser session says where it is and when it was used."""

import json

import sqlalchemy as sa
from alembic import op

from appliance.domain.audit import BEGINNING, hash_of
from appliance.store.columns import Moment

revision = "0016"
down_revision = "0015"
branch_labels = None
depends_on = None

REFUSALS = {
    "audit_is_not_changed": "BEFORE UPDATE ON audit BEGIN SELECT RAISE(ABORT, 'an entry of the audit is never changed'); END",
    "audit_is_not_removed": "BEFORE DELETE ON audit BEGIN SELECT RAISE(ABORT, 'an entry of the audit is never removed'); END",
    "audit_goes_on_at_its_end": """BEFORE INSERT ON audit
        WHEN NEW.id IS NOT (SELECT coalesce(max(id), 0) + 1 FROM audit)
          OR NEW.previous IS NOT coalesce((SELECT hash FROM audit ORDER BY id DESC LIMIT 1), printf('%064d', 0))
        BEGIN SELECT RAISE(ABORT, 'an entry of the audit follows the newest one'); END""",
}
PLACES = ("address", "browser")
FOUND = ("actor", "subject", "action")


def upgrade() -> None:
    """Bring the schema forward; entries that are there already are chained as they are."""
    for name in ("previous", "hash"):
        op.add_column("audit", sa.Column(name, sa.String(64), nullable=True))
    _chain(op.get_bind())
    with op.batch_alter_table("audit") as table:
        for name in ("previous", "hash"):
            table.alter_column(name, existing_type=sa.String(64), nullable=False)
    for name in FOUND:
        op.create_index(op.f(f"ix_audit_{name}"), "audit", [name])
    for name, refusal in REFUSALS.items():
        op.get_bind().exec_driver_sql(f"CREATE TRIGGER {name} {refusal}")
    for name in PLACES:
        op.add_column("sessions", sa.Column(name, sa.String(), nullable=False, server_default=""))
    op.add_column("sessions", sa.Column("last_used_at", Moment(), nullable=True))
    op.get_bind().exec_driver_sql("UPDATE sessions SET last_used_at = created_at")
    with op.batch_alter_table("sessions") as table:
        table.alter_column("last_used_at", existing_type=Moment(), nullable=False)


def downgrade() -> None:
    """Take the schema back."""
    with op.batch_alter_table("sessions") as table:
        for name in (*PLACES, "last_used_at"):
            table.drop_column(name)
    for name in REFUSALS:
        op.execute(f"DROP TRIGGER {name}")
    for name in FOUND:
        op.drop_index(op.f(f"ix_audit_{name}"), "audit")
    with op.batch_alter_table("audit") as table:
        for name in ("previous", "hash"):
            table.drop_column(name)


def _chain(connection: sa.Connection) -> None:
    """By number without a gap, in the order of writing."""
    last = BEGINNING
    rows = connection.exec_driver_sql("SELECT id, at, actor, action, subject, detail FROM audit ORDER BY id").all()
    for number, (row_id, at, actor, action, subject, detail) in enumerate(rows, 1):
        said = {"number": number, "at": at, "actor": actor, "action": action, "subject": subject, "detail": json.loads(detail)}
        hashed = hash_of(said | {"previous": last})
        values = (number, last, hashed, row_id)
        connection.exec_driver_sql("UPDATE audit SET id = ?, previous = ?, hash = ? WHERE id = ?", values)
        last = hashed
