"""The passkeys of users, and the challenges that were answered with one."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import delete, func, select, update
from sqlalchemy.orm import Session

from appliance.domain.passkey import MOST, Passkey
from appliance.errors import Conflict, InvalidRequest, NotFound, Unauthenticated
from appliance.store.audit import append_entry
from appliance.store.database import Database
from appliance.store.models import AnsweredChallengeRow, PasskeyRow, SecondFactorRow
from appliance.store.second_factors import forget, keep_codes


class WentBack(Unauthenticated):
    """A passkey says that it has signed less often than it had: there may be a copy of it."""


@dataclass(frozen=True, kw_only=True)
class Passkeys:
    """Who has which."""

    database: Database

    def list(self, user: str | None = None) -> list[Passkey]:
        """Those of one user or of all, by user and then by age."""
        query = select(PasskeyRow).order_by(PasskeyRow.user, PasskeyRow.created_at, PasskeyRow.id)
        if user is not None:
            query = query.where(PasskeyRow.user == user)
        with self.database.reading() as session:
            return [_passkey(row) for row in session.scalars(query)]

    def find(self, passkey_id: str) -> Passkey | None:
        """The one of that id, or None."""
        with self.database.reading() as session:
            row = session.get(PasskeyRow, passkey_id)
        return None if row is None else _passkey(row)

    def add(self, passkey: Passkey, *, codes: Iterable[str], challenge: str, expires_at: datetime) -> bool:
        """Ask for this one, too, from now on; whether it begins a second factor, whose recovery codes are then `codes`.

        All of it and its entry in the audit, or none. Raises InvalidRequest for a name that is taken, Conflict for too many, for a
        passkey that is known and for a challenge that was answered.
        """
        with self.database.writing() as session:
            _answer(session, challenge, expires_at=expires_at, now=passkey.created_at)
            _demand_room(session, passkey)
            is_first = session.get(SecondFactorRow, passkey.user) is None
            if is_first:
                session.add(SecondFactorRow(user=passkey.user, since=passkey.created_at, last_step=0, has_app=False))
                session.flush()
                keep_codes(session, passkey.user, codes)
            session.add(PasskeyRow(**vars(passkey)))
            told = {"passkey": passkey.name, "id": passkey.id}
            append_entry(session, at=passkey.created_at, actor=passkey.user, action="add passkey", subject=passkey.user, detail=told)
        return is_first

    def use(self, passkey: Passkey, *, sign_count: int, challenge: str, expires_at: datetime, now: datetime) -> None:
        """Note an answer whose signature is right, once. Raises Conflict for a challenge that was answered, WentBack by its counter."""
        with self.database.writing() as session:
            _answer(session, challenge, expires_at=expires_at, now=now)
            goes_on = PasskeyRow.sign_count < sign_count if sign_count else PasskeyRow.sign_count == 0
            known = update(PasskeyRow).where(PasskeyRow.id == passkey.id, goes_on)
            if session.execute(known.values(sign_count=sign_count, last_used_at=now).returning(PasskeyRow.id)).first() is None:
                raise WentBack("The counter of this passkey went back: there may be a copy of it. It opens nothing now; remove it.")

    def remove(self, user: str, passkey_id: str, *, by: str, now: datetime) -> bool:
        """Let one open nothing from now on; whether the second factor ended with it, the last thing it was made of. Raises NotFound."""
        with self.database.writing() as session:
            row = session.get(PasskeyRow, passkey_id)
            if row is None or row.user != user:
                raise NotFound(f"{user[:64]} has no such passkey; it may be removed already. Nothing was changed.")
            session.delete(row)
            session.flush()
            told = {"passkey": row.name, "id": row.id}
            append_entry(session, at=now, actor=by, action="remove passkey", subject=user, detail=told)
            is_over = not _is_left(session, user)
            if is_over:
                forget(session, user)
                append_entry(session, at=now, actor=by, action="turn off second factor", subject=user, detail={})
        return is_over


def _answer(session: Session, challenge: str, *, expires_at: datetime, now: datetime) -> None:
    """Of two answers to one challenge the first counts; after `expires_at` neither does, and it is forgotten."""
    session.execute(delete(AnsweredChallengeRow).where(AnsweredChallengeRow.expires_at < now))
    if session.get(AnsweredChallengeRow, challenge) is not None:
        raise Conflict("This was answered already. Nothing was changed; begin anew.")
    session.add(AnsweredChallengeRow(digest=challenge, expires_at=expires_at))
    session.flush()


def _demand_room(session: Session, passkey: Passkey) -> None:
    if session.get(PasskeyRow, passkey.id) is not None:
        raise Conflict("This passkey is known already. Nothing was changed.")
    names = list(session.scalars(select(PasskeyRow.name).where(PasskeyRow.user == passkey.user)))
    if passkey.name in names:
        raise InvalidRequest(f"You have a passkey {passkey.name!r} already. Nothing was changed; give this one another name.", field="name")
    if len(names) >= MOST:
        raise Conflict(f"{passkey.user} has {MOST} passkeys, which is the most. Nothing was changed; remove one first.")


def _is_left(session: Session, user: str) -> bool:
    """Whether anything is left that can be asked for at a log-in."""
    factor = session.get(SecondFactorRow, user)
    passkeys = session.scalar(select(func.count()).select_from(PasskeyRow).where(PasskeyRow.user == user))
    return bool(passkeys) or (factor is not None and factor.has_app)


def _passkey(row: PasskeyRow) -> Passkey:
    names = ("id", "user", "name", "credential", "public_key", "handle", "sign_count", "created_at", "last_used_at")
    return Passkey(**{name: getattr(row, name) for name in names})
