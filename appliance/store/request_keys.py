"""What requests with a key were answered, kept for a day: written with what they recorded, or not at all."""

from dataclasses import dataclass
from datetime import datetime

from pydantic import TypeAdapter
from sqlalchemy import delete
from sqlalchemy.orm import Session

from appliance.domain.operation import Operation
from appliance.domain.request_key import KEPT_FOR, RequestKey
from appliance.errors import Conflict, InvalidRequest
from appliance.store.database import Database
from appliance.store.models import RequestKeyRow

OPERATION = TypeAdapter(Operation)
BUSY = "A request with this Idempotency-Key is being answered. Nothing more was requested; send it again in a moment."
OTHER = "This Idempotency-Key was used for another request. Nothing was changed; give each request a key of its own."


@dataclass(frozen=True, kw_only=True)
class RequestKeys:
    """The answers by caller and key."""

    database: Database

    def find(self, asked: RequestKey, *, now: datetime) -> Operation | None:
        """The operation as it was answered to the same request, or None. Raises InvalidRequest if the key was used for another one."""
        with self.database.reading() as session:
            row = session.get(RequestKeyRow, (asked.caller, asked.key))
        if row is None or row.at <= now - KEPT_FOR:
            return None
        if row.digest != asked.digest:
            raise InvalidRequest(OTHER, field="Idempotency-Key")
        return OPERATION.validate_python(row.answer)


def note_answer(session: Session, asked: RequestKey | None, answer: Operation, *, now: datetime) -> None:
    """Write in a writing session what a request with a key is answered. Raises Conflict if another one with it came first."""
    if asked is None:
        return
    session.execute(delete(RequestKeyRow).where(RequestKeyRow.at <= now - KEPT_FOR))
    if session.get(RequestKeyRow, (asked.caller, asked.key)) is not None:
        raise Conflict(BUSY)
    kept = OPERATION.dump_python(answer, mode="json")
    session.add(RequestKeyRow(caller=asked.caller, key=asked.key, digest=asked.digest, at=now, answer=kept))
