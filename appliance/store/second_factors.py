"""The second factors of users. Their secrets lie in the vault, of their recovery codes only hashes are kept."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import CursorResult, Row, Update, delete, func, select, update
from sqlalchemy.orm import Session
from sqlalchemy.sql import Delete

from appliance.domain.second_factor import SecondFactor, make_secret, matching_step, recovery_hash
from appliance.errors import Conflict, NotFound
from appliance.store.audit import append_entry
from appliance.store.database import Database
from appliance.store.models import PasskeyRow, RecoveryCodeRow, SecondFactorRow, SecretRow
from appliance.store.vault import Vault

SCOPE_PREFIX = "user:"
OFFERED, SECRET = "totp-offered", "totp"


@dataclass(frozen=True, kw_only=True)
class SecondFactors:
    """Who has one, and what opens it."""

    database: Database
    vault: Vault

    def list(self) -> list[SecondFactor]:
        """By user."""
        with self.database.reading() as session:
            return [_second_factor(row) for row in session.execute(_WITH_CODES.order_by(SecondFactorRow.user))]

    def find(self, user: str) -> SecondFactor | None:
        """The one of a user, or None."""
        with self.database.reading() as session:
            row = session.execute(_WITH_CODES.where(SecondFactorRow.user == user)).first()
        return None if row is None else _second_factor(row)

    def offer(self, user: str) -> str:
        """Give a new secret, which counts once a code of it was seen; what counts until then stays."""
        secret = make_secret()
        self.vault.put(_scope(user), OFFERED, secret)
        return secret

    def offered(self, user: str) -> str:
        """Give the secret that was offered last. Raises Conflict when there is none."""
        try:
            return self.vault.get(_scope(user), OFFERED)
        except NotFound:
            raise Conflict("No second factor is being set up. Nothing was changed; begin anew.") from None

    def turn_on(self, user: str, *, secret: str, step: int, codes: Iterable[str], now: datetime) -> None:
        """Ask for codes of this secret from now on, of later steps than this one: all of it and its entry in the audit, or none."""
        with self.database.writing() as session:
            forget(session, user)
            session.merge(self.vault.row(_scope(user), SECRET, secret))
            session.add(SecondFactorRow(user=user, since=now, last_step=step, has_app=True))
            session.flush()
            keep_codes(session, user, codes)
            append_entry(session, at=now, actor=user, action="turn on second factor", subject=user, detail={})

    def replace_codes(self, user: str, codes: Iterable[str], *, now: datetime) -> None:
        """Have these recovery codes in place of all earlier ones. Raises NotFound without a second factor."""
        with self.database.writing() as session:
            _demand(session, user)
            session.execute(delete(RecoveryCodeRow).where(RecoveryCodeRow.user == user))
            keep_codes(session, user, codes)
            append_entry(session, at=now, actor=user, action="new recovery codes", subject=user, detail={})

    def turn_off(self, user: str, *, by: str, now: datetime) -> None:
        """Ask for the password alone from now on: app, passkeys and recovery codes open nothing. Raises NotFound without one."""
        with self.database.writing() as session:
            _demand(session, user)
            forget(session, user)
            removed = session.scalars(delete(PasskeyRow).where(PasskeyRow.user == user).returning(PasskeyRow.name)).all()
            told = {"passkeys": sorted(removed)} if removed else {}
            append_entry(session, at=now, actor=by, action="turn off second factor", subject=user, detail=told)

    def take(self, user: str, typed: str, *, now: datetime) -> str:
        """Take a code of the app, or else a recovery code; either counts once. Gives which it was, empty for neither."""
        found = self.find(user)
        step = matching_step(self.vault.get(_scope(user), SECRET), typed, now) if found and found.has_app else None
        if step is not None:
            later = (SecondFactorRow.user == user, SecondFactorRow.last_step < step)
            return "code" if self._changes_one(update(SecondFactorRow).where(*later).values(last_step=step)) else ""
        known = (RecoveryCodeRow.user == user, RecoveryCodeRow.code_hash == recovery_hash(user, typed))
        return "recovery code" if self._changes_one(delete(RecoveryCodeRow).where(*known)) else ""

    def _changes_one(self, statement: Update | Delete) -> bool:
        """Of two that ask for the same at once, one has changed it."""
        with self.database.writing() as session:
            done = session.execute(statement)
            return isinstance(done, CursorResult) and done.rowcount == 1


_CODES_LEFT = select(func.count()).where(RecoveryCodeRow.user == SecondFactorRow.user).correlate(SecondFactorRow).scalar_subquery()
_PASSKEYS = select(func.count()).where(PasskeyRow.user == SecondFactorRow.user).correlate(SecondFactorRow).scalar_subquery()
_WITH_CODES = select(
    SecondFactorRow.user, SecondFactorRow.since, SecondFactorRow.has_app, _CODES_LEFT.label("codes_left"), _PASSKEYS.label("passkeys")
)


def _second_factor(row: Row[*tuple[Any, ...]]) -> SecondFactor:
    return SecondFactor(user=row.user, since=row.since, codes_left=row.codes_left, has_app=row.has_app, passkeys=row.passkeys)


def _scope(user: str) -> str:
    return f"{SCOPE_PREFIX}{user}"


def keep_codes(session: Session, user: str, codes: Iterable[str]) -> None:
    """Keep the hashes of new recovery codes."""
    session.add_all(RecoveryCodeRow(user=user, code_hash=recovery_hash(user, code)) for code in codes)


def _demand(session: Session, user: str) -> None:
    if session.get(SecondFactorRow, user) is None:
        raise NotFound(f"{user} has no second factor. Nothing was changed.")


def forget(session: Session, user: str) -> None:
    """Remove the app and the recovery codes; passkeys stay."""
    session.execute(delete(RecoveryCodeRow).where(RecoveryCodeRow.user == user))
    session.execute(delete(SecondFactorRow).where(SecondFactorRow.user == user))
    session.execute(delete(SecretRow).where(SecretRow.scope == _scope(user)))
