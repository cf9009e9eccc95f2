"""Links that show an operation's log without a log-in, and what each of them shows."""

import hashlib
import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from pydantic import TypeAdapter
from sqlalchemy import delete, select

from appliance.domain.shared_log import Share, SharedLog
from appliance.errors import NotFound
from appliance.store.audit import append_entry
from appliance.store.database import Database
from appliance.store.models import ShareRow

SHOWN = TypeAdapter(SharedLog)
ID_LENGTH = 16


@dataclass(frozen=True, kw_only=True)
class Shares:
    """Those that last; what is over is forgotten with the next that is made."""

    database: Database

    def add(self, shown: SharedLog, *, operation: int, by: str, now: datetime, until: datetime) -> tuple[str, Share]:
        """Give the token that opens it, shown this once, and the link."""
        token = secrets.token_urlsafe(32)
        digest = _digest(token)
        share = Share(id=digest[:ID_LENGTH], operation=operation, by=by, at=now, until=until)
        with self.database.writing() as session:
            session.execute(delete(ShareRow).where(ShareRow.until <= now))
            session.add(ShareRow(**vars(share), token_hash=digest, shown=SHOWN.dump_python(shown, mode="json")))
            detail = {"link": share.id, "until": until.isoformat()}
            append_entry(session, at=now, actor=by, action="share log", subject=f"operation {operation}", detail=detail)
        return token, share

    def of(self, operation: int, *, now: datetime) -> Sequence[Share]:
        """Those of an operation that last, the newest first."""
        query = select(ShareRow.id, ShareRow.operation, ShareRow.by, ShareRow.at, ShareRow.until)
        query = query.where(ShareRow.operation == operation, ShareRow.until > now).order_by(ShareRow.at.desc(), ShareRow.id)
        with self.database.reading() as session:
            return [Share(**row) for row in session.execute(query).mappings()]

    def open(self, token: str, *, now: datetime) -> SharedLog | None:
        """What a token opens; None for one that opens nothing, or no more."""
        with self.database.reading() as session:
            row = session.scalars(select(ShareRow).where(ShareRow.token_hash == _digest(token), ShareRow.until > now)).first()
        return None if row is None else SHOWN.validate_python(row.shown)

    def revoke(self, operation: int, share: str, *, by: str, now: datetime) -> None:
        """Let a link open nothing from now on. Raises NotFound."""
        with self.database.writing() as session:
            row = session.get(ShareRow, share)
            if row is None or row.operation != operation or row.until <= now:
                raise NotFound(f"Operation {operation} has no link {share[:ID_LENGTH]!r}. Nothing was changed.")
            session.delete(row)
            append_entry(session, at=now, actor=by, action="unshare log", subject=f"operation {operation}", detail={"link": share})


def _digest(token: str) -> str:
    return hashlib.sha256(token.encode(errors="surrogatepass")).hexdigest()
