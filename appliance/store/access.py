"""Who may come in: users, browser sessions, bearer tokens, and the audit of what they did."""

import hashlib
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import delete, select

from appliance.errors import NotFound
from appliance.store.database import Database
from appliance.store.models import AuditRow, SessionRow, TokenRow, UserRow

SESSION_LIFE = timedelta(hours=12)


@dataclass(frozen=True, kw_only=True)
class User:
    """Somebody who may log in. Roles: viewer, operator, administrator."""

    name: str
    password_hash: str
    role: str
    must_change: bool
    failures: int
    locked_until: datetime | None


@dataclass(frozen=True, kw_only=True)
class BrowserSession:
    """A browser that is logged in, and the token its forms must carry."""

    token_hash: str
    user: str
    csrf: str
    expires_at: datetime


@dataclass(frozen=True, kw_only=True)
class Token:
    """What is known of a bearer token; the token itself is not kept."""

    name: str
    user: str
    created_at: datetime
    last_used_at: datetime | None


@dataclass(frozen=True, kw_only=True)
class Access:
    """Users, sessions, tokens and the audit."""

    database: Database

    def users(self) -> list[User]:
        """By name."""
        with self.database.reading() as session:
            return [_user(row) for row in session.scalars(select(UserRow).order_by(UserRow.name))]

    def find_user(self, name: str) -> User | None:
        """The user of that name, or None."""
        with self.database.reading() as session:
            row = session.get(UserRow, name)
        return None if row is None else _user(row)

    def put_user(self, *, name: str, password_hash: str, role: str, must_change: bool, now: datetime) -> None:
        """Make a user, or replace one; older sessions of that user end."""
        with self.database.writing() as session:
            session.execute(delete(SessionRow).where(SessionRow.user == name))
            session.merge(UserRow(name=name, password_hash=password_hash, role=role, must_change=must_change, failures=0, created_at=now))

    def note_attempt(self, name: str, *, failures: int, locked_until: datetime | None) -> None:
        """Write how often a log-in has failed in a row."""
        with self.database.writing() as session:
            if (row := session.get(UserRow, name)) is not None:
                row.failures, row.locked_until = failures, locked_until

    def open_session(self, user: str, *, now: datetime) -> tuple[str, BrowserSession]:
        """Give the cookie's secret and the session; the secret itself is not kept."""
        token = secrets.token_urlsafe(32)
        opened = BrowserSession(token_hash=_digest(token), user=user, csrf=secrets.token_urlsafe(32), expires_at=now + SESSION_LIFE)
        with self.database.writing() as session:
            session.execute(delete(SessionRow).where(SessionRow.expires_at < now))
            session.add(SessionRow(**vars(opened), created_at=now))
        return token, opened

    def find_session(self, token: str, *, now: datetime) -> BrowserSession | None:
        """The session of a cookie, unless it is over."""
        with self.database.reading() as session:
            row = session.get(SessionRow, _digest(token))
        if row is None or row.expires_at <= now:
            return None
        return BrowserSession(token_hash=row.token_hash, user=row.user, csrf=row.csrf, expires_at=row.expires_at)

    def close_session(self, token: str) -> None:
        """Log out."""
        with self.database.writing() as session:
            session.execute(delete(SessionRow).where(SessionRow.token_hash == _digest(token)))

    def issue_token(self, *, name: str, user: str, now: datetime) -> str:
        """Give a new bearer token, shown this once; one of the same name is replaced. Raises NotFound for an unknown user."""
        if self.find_user(user) is None:
            raise NotFound(f"There is no user {user!r}.")
        token = f"appl_{secrets.token_urlsafe(32)}"
        with self.database.writing() as session:
            session.merge(TokenRow(name=name, token_hash=_digest(token), user=user, created_at=now))
        return token

    def tokens(self) -> list[Token]:
        """By name."""
        with self.database.reading() as session:
            rows = session.scalars(select(TokenRow).order_by(TokenRow.name))
            return [Token(name=row.name, user=row.user, created_at=row.created_at, last_used_at=row.last_used_at) for row in rows]

    def revoke_token(self, name: str) -> None:
        """Let a token open nothing from now on. Raises NotFound."""
        with self.database.writing() as session:
            row = session.get(TokenRow, name)
            if row is None:
                raise NotFound(f"There is no token {name!r}; nothing was changed. `appliance token list` names them.")
            session.delete(row)

    def find_token_user(self, token: str, *, now: datetime) -> User | None:
        """The user behind a bearer token; its use is noted."""
        with self.database.writing() as session:
            row = session.scalars(select(TokenRow).where(TokenRow.token_hash == _digest(token))).first()
            if row is None:
                return None
            row.last_used_at = now
            return _user(session.get_one(UserRow, row.user))

    def audit(self, *, actor: str, action: str, subject: str, detail: Mapping[str, Any], now: datetime) -> None:
        """Write who did what."""
        with self.database.writing() as session:
            session.add(AuditRow(at=now, actor=actor, action=action, subject=subject, detail=dict(detail)))


def _digest(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()


def _user(row: UserRow) -> User:
    return User(
        name=row.name,
        password_hash=row.password_hash,
        role=row.role,
        must_change=row.must_change,
        failures=row.failures,
        locked_until=row.locked_until,
    )
