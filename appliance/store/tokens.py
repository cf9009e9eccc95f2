"""The bearer tokens of the API; of each only a hash is kept."""

import hashlib
import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import select

from appliance.errors import InvalidRequest, NotFound
from appliance.store.audit import append_entry
from appliance.store.database import Database
from appliance.store.models import TokenRow, UserRow

LONGEST_NAME = 64
MOST_DAYS = 3650
USE_NOTED_EVERY = timedelta(minutes=1)
SCOPES = ("viewer", "operator", "administrator")
"""Up to which role it carries its user's rights."""


@dataclass(frozen=True, kw_only=True)
class Token:
    """What is known of a bearer token. Its rights are those of the user, up to the role `scope`; without `expires_at` it lasts."""

    name: str
    user: str
    scope: str
    created_at: datetime
    last_used_at: datetime | None
    expires_at: datetime | None

    def is_over(self, now: datetime) -> bool:
        """Whether it opens nothing any more."""
        return self.expires_at is not None and self.expires_at <= now


@dataclass(frozen=True, kw_only=True)
class Tokens:
    """All that were issued and not revoked; those that are over, too."""

    database: Database

    def list(self) -> list[Token]:
        """By name."""
        with self.database.reading() as session:
            return [_token(row) for row in session.scalars(select(TokenRow).order_by(TokenRow.name))]

    def issue(self, *, name: str, user: str, by: str, now: datetime, scope: str = SCOPES[-1], days: int | None = None) -> str:
        """Give a new bearer token, shown this once; one of the same name is replaced. Raises NotFound and InvalidRequest."""
        _check(name, scope, days)
        made, ends = f"appl_{secrets.token_urlsafe(32)}", None if days is None else now + timedelta(days=days)
        with self.database.writing() as session:
            if session.get(UserRow, user) is None:
                raise NotFound(f"There is no user {user[:64]!r}. Nothing was changed; `appliance user list` names them.")
            row = TokenRow(name=name, token_hash=_digest(made), user=user, scope=scope, created_at=now, last_used_at=None, expires_at=ends)
            session.merge(row)
            told = {"user": user, "scope": scope, "expires_at": ends.isoformat() if ends else None}
            append_entry(session, at=now, actor=by, action="issue token", subject=name, detail=told)
        return made

    def revoke(self, name: str, *, by: str, now: datetime) -> None:
        """Let a token open nothing from now on. Raises NotFound."""
        with self.database.writing() as session:
            row = session.get(TokenRow, name)
            if row is None:
                raise NotFound(f"There is no token {name[:64]!r}; nothing was changed. `appliance token list` names them.")
            session.delete(row)
            append_entry(session, at=now, actor=by, action="revoke token", subject=name, detail={})

    def find(self, token: str) -> Token | None:
        """What is known of a token that a program sends; also of one that is over."""
        with self.database.reading() as session:
            row = session.scalars(select(TokenRow).where(TokenRow.token_hash == _digest(token))).first()
            return None if row is None else _token(row)

    def note_use(self, token: Token, *, now: datetime) -> None:
        """Write that it was used, once a minute."""
        if token.last_used_at is not None and now - token.last_used_at < USE_NOTED_EVERY:
            return
        with self.database.writing() as session:
            if (row := session.get(TokenRow, token.name)) is not None:
                row.last_used_at = now

    def opens(self, token: str, *, now: datetime) -> bool:
        """Whether a token opens the API still; its use is not noted."""
        found = self.find(token)
        return found is not None and not found.is_over(now)


def _check(name: str, scope: str, days: int | None) -> None:
    if not name.strip() or len(name) > LONGEST_NAME or not name.isprintable():
        raise InvalidRequest(f"A token has a name of at most {LONGEST_NAME} characters. Nothing was changed.", field="name")
    if scope not in SCOPES:
        raise InvalidRequest(f"{scope[:40]!r} is no scope: {', '.join(SCOPES)}. Nothing was changed.", field="scope")
    if days is not None and not 0 < days <= MOST_DAYS:
        raise InvalidRequest(f"A token lasts 1 to {MOST_DAYS} days. Nothing was changed.", field="days")


def _digest(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()


def _token(row: TokenRow) -> Token:
    return Token(
        name=row.name,
        user=row.user,
        scope=row.scope,
        created_at=row.created_at,
        last_used_at=row.last_used_at,
        expires_at=row.expires_at,
    )
