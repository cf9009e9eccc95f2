"""Give out the audit, in somebody's name."""

from collections.abc import Iterator
from datetime import UTC, datetime

from fastapi.responses import StreamingResponse

from appliance.domain.audit import AuditProof, canonical, check_head
from appliance.errors import InvalidRequest
from appliance.store.audit import AuditFilter
from appliance.web.access import Principal
from appliance.web.panel import Panel

RIGHT = "audit"


def export(panel: Panel, principal: Principal, wanted: AuditFilter) -> StreamingResponse:
    """The entries as JSON lines, oldest first; that somebody asked for them is an entry itself. Raises Forbidden."""
    principal.demand(RIGHT)
    store = panel.appliance.store
    store.access.audit(actor=principal.name, action="export audit", subject="audit", detail={}, now=panel.clock())

    def lines() -> Iterator[str]:
        for said in store.audit.export(wanted):
            yield f"{canonical(said)}\n"

    headers = {"Content-Disposition": 'attachment; filename="audit.jsonl"'}
    return StreamingResponse(lines(), headers=headers, media_type="application/x-ndjson")


def verify(panel: Panel, principal: Principal, head: str) -> AuditProof:
    """Look at every entry. Raises Forbidden, and InvalidRequest for a head that is no hash."""
    principal.demand(RIGHT)
    check_head(head)
    return panel.appliance.store.audit.prove(head=head)


def read_since(text: str) -> datetime | None:
    """A moment as it is typed, in UTC where it names no zone; None for nothing. Raises InvalidRequest."""
    if not text:
        return None
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise InvalidRequest(f'{text[:60]!r} is no moment; write "2026-11-22 14:05".', field="since") from None
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)
