"""Who may come in: users, browser sessions, and the audit of what they did."""

import hashlib
import secrets
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import delete, or_, select, update

from appliance.store.audit import append_entry
from appliance.store.database import Database
from appliance.store.models import SessionRow, UserRow

SESSION_LIFE = timedelta(hours=12)
SESSION_IDLE = timedelta(hours=2)
"""A browser in which nothing was opened for so long has to log in again."""
USE_NOTED_EVERY = timedelta(minutes=1)
ID_LENGTH = 16


@dataclass(frozen=True, kw_only=True)
class User:
    """Somebody who may log in. Roles: viewer, operator, administrator. `language` and `theme` are empty while none was chosen."""

    name: str
    password_hash: str
    role: str
    must_change: bool
    failures: int
    locked_until: datetime | None
    language: str = ""
    theme: str = ""


@dataclass(frozen=True, kw_only=True)
class BrowserSession:
    """A browser that is logged in, and the token its forms must carry. `address` and `browser` are what it said of itself.

    At `confirmed_at` all that a log-in asks for was given last.
    """

    token_hash: str
    user: str
    csrf: str
    created_at: datetime
    last_used_at: datetime
    expires_at: datetime
    address: str
    browser: str
    confirmed_at: datetime | None

    @property
    def id(self) -> str:
        """What people name it by; it opens nothing."""
        return self.token_hash[:ID_LENGTH]

    def is_over(self, now: datetime) -> bool:
        """Whether it has lived long enough, or was idle for too long."""
        return self.expires_at <= now or self.last_used_at + SESSION_IDLE <= now


@dataclass(frozen=True, kw_only=True)
class Access:
    """Users, sessions and the audit."""

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

    def keep_appearance(self, name: str, **chosen: str) -> None:
        """Keep a user's `language` or `theme`, for every browser."""
        with self.database.writing() as session:
            session.execute(update(UserRow).where(UserRow.name == name).values(**chosen))

    def note_attempt(self, name: str, *, failures: int, locked_until: datetime | None) -> None:
        """Write how often a log-in has failed in a row."""
        with self.database.writing() as session:
            if (row := session.get(UserRow, name)) is not None:
                row.failures, row.locked_until = failures, locked_until

    def count_failure(self, name: str, *, now: datetime, lock_end: Callable[[int], datetime | None]) -> datetime | None:
        """Count one more failure in a row, and lock the user as `lock_end` says of their number. Of many at once each is counted.

        Gives until when the user was locked already; then nothing is counted.
        """
        with self.database.writing() as session:
            row = session.get(UserRow, name)
            if row is None or (row.locked_until is not None and row.locked_until > now):
                return None if row is None else row.locked_until
            row.failures += 1
            row.locked_until = lock_end(row.failures)
            return None

    def open_session(
        self, user: str, *, now: datetime, address: str = "", browser: str = "", is_confirmed: bool = True
    ) -> tuple[str, BrowserSession]:
        """Give the cookie's secret and the session; the secret itself is not kept."""
        token, life = secrets.token_urlsafe(32), {"created_at": now, "last_used_at": now, "expires_at": now + SESSION_LIFE}
        opened = BrowserSession(
            token_hash=_digest(token),
            user=user,
            csrf=secrets.token_urlsafe(32),
            address=address,
            browser=browser,
            confirmed_at=now if is_confirmed else None,
            **life,
        )
        with self.database.writing() as session:
            session.execute(delete(SessionRow).where(or_(SessionRow.expires_at < now, SessionRow.last_used_at < now - SESSION_IDLE)))
            session.add(SessionRow(**vars(opened)))
        return token, opened

    def find_session(self, token: str, *, now: datetime) -> BrowserSession | None:
        """The session of a cookie, unless it is over; that it was used is noted once a minute."""
        with self.database.reading() as session:
            row = session.get(SessionRow, _digest(token))
        found = None if row is None else _session(row)
        if found is None or found.is_over(now):
            return None
        if now - found.last_used_at >= USE_NOTED_EVERY:
            with self.database.writing() as session:
                session.execute(update(SessionRow).where(SessionRow.token_hash == found.token_hash).values(last_used_at=now))
        return found

    def has_session(self, token: str, *, now: datetime) -> bool:
        """Whether the session of a cookie goes on; that it is asked for is no use of it."""
        with self.database.reading() as session:
            row = session.get(SessionRow, _digest(token))
        return row is not None and not _session(row).is_over(now)

    def confirm_session(self, user: str, csrf: str, *, now: datetime) -> None:
        """Note that the browser whose forms carry this has shown once more who it is."""
        with self.database.writing() as session:
            session.execute(update(SessionRow).where(SessionRow.user == user, SessionRow.csrf == csrf).values(confirmed_at=now))

    def sessions(self, user: str | None = None, *, now: datetime) -> list[BrowserSession]:
        """Those of one user or of all that are not over, the one used last first."""
        query = select(SessionRow).order_by(SessionRow.last_used_at.desc(), SessionRow.token_hash)
        if user is not None:
            query = query.where(SessionRow.user == user)
        with self.database.reading() as session:
            found = [_session(row) for row in session.scalars(query)]
        return [one for one in found if not one.is_over(now)]

    def end_sessions(self, ended: Iterable[BrowserSession], *, by: str, now: datetime) -> None:
        """Log browsers out, each with its entry in the audit: all or none. One that is gone already is left out."""
        with self.database.writing() as session:
            for one in ended:
                if (row := session.get(SessionRow, one.token_hash)) is not None:
                    session.delete(row)
                    append_entry(session, at=now, actor=by, action="end session", subject=one.user, detail={"session": one.id})

    def close_session(self, token: str) -> None:
        """Log out."""
        with self.database.writing() as session:
            session.execute(delete(SessionRow).where(SessionRow.token_hash == _digest(token)))

    def audit(self, *, actor: str, action: str, subject: str, detail: Mapping[str, Any], now: datetime) -> None:
        """Write who did what."""
        with self.database.writing() as session:
            append_entry(session, at=now, actor=actor, action=action, subject=subject, detail=detail)


def _digest(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()


def _session(row: SessionRow) -> BrowserSession:
    names = ("token_hash", "user", "csrf", "created_at", "last_used_at", "expires_at", "address", "browser", "confirmed_at")
    return BrowserSession(**{name: getattr(row, name) for name in names})


def _user(row: UserRow) -> User:
    return User(
        name=row.name,
        password_hash=row.password_hash,
        role=row.role,
        must_change=row.must_change,
        failures=row.failures,
        locked_until=row.locked_until,
        language=row.language or "",
        theme=row.theme or "",
    )
