"""Which queued operation may begin: what works on a whole host waits for its instances, and they for it."""

from sqlalchemy import select
from sqlalchemy.orm import Session

from appliance.domain.host import LOCALHOST, host_of_subject
from appliance.domain.operation import OperationStatus
from appliance.store.models import InstanceRow, OperationRow

WHOLE_HOST = ("host-patch",)
"""Kinds that may restart anything on their host."""
MAY_BEGIN = select(OperationRow).where(OperationRow.status == OperationStatus.QUEUED, OperationRow.awaits_approval.is_(False))
"""What waits for nobody's approval."""


def next_to_begin(session: Session) -> OperationRow | None:
    """The oldest queued operation that nothing at work on its host holds up; what came after one that waits, waits behind it."""
    hosts = {row.name: row.host for row in session.execute(select(InstanceRow.name, InstanceRow.host))}
    at_work = list(session.scalars(select(OperationRow).where(OperationRow.status == OperationStatus.RUNNING)))
    busy = {_host(row, hosts) for row in at_work}
    closed = {_host(row, hosts) for row in at_work if row.kind in WHOLE_HOST}
    for row in session.scalars(MAY_BEGIN.order_by(OperationRow.id)):
        host = _host(row, hosts)
        if host not in (busy if row.kind in WHOLE_HOST else closed):
            return row
        if row.kind in WHOLE_HOST:
            closed.add(host)
    return None


def _host(row: OperationRow, hosts: dict[str, str]) -> str:
    return host_of_subject(row.instance) or hosts.get(row.instance) or str(row.parameters.get("host") or LOCALHOST)
