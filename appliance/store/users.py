"""Who may log in, as an administrator keeps them; what a log-in itself needs is in `store/access.py`."""

import re
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import delete, func, select
from sqlalchemy.orm import Session

from appliance.errors import Conflict, InvalidRequest, NotFound
from appliance.store.audit import append_entry
from appliance.store.database import Database
from appliance.store.models import SessionRow, UserRow
from appliance.store.second_factors import forget

NAME = re.compile(r"[^\W_][\w.@+-]{0,63}")
ROLES = ("viewer", "operator", "administrator")
HIGHEST = ROLES[-1]
ONE_TIME_BYTES = 15
"""Of chance in a one-time password."""


@dataclass(frozen=True, kw_only=True)
class Users:
    """Added, given another role or password, and removed; each with its entry in the audit, or not at all."""

    database: Database

    def add(self, name: str, *, role: str, password_hash: str, by: str, now: datetime) -> None:
        """Add one who has to replace the password when he logs in first. Raises InvalidRequest, and Conflict where the name is taken."""
        _check_role(role)
        if not NAME.fullmatch(name):
            raise InvalidRequest(
                f"{name[:64]!r} cannot name a user: up to 64 letters, digits and . @ + _ -, beginning with a letter or digit. "
                "Nothing was changed.",
                field="name",
            )
        with self.database.writing() as session:
            taken = session.scalars(select(UserRow.name).where(func.lower(UserRow.name) == name.lower())).first()
            if taken is not None:
                raise Conflict(f"There is a user {taken!r} already. Nothing was changed.")
            session.add(UserRow(name=name, password_hash=password_hash, role=role, must_change=True, failures=0, created_at=now))
            append_entry(session, at=now, actor=by, action="add user", subject=name, detail={"role": role})

    def change_role(self, name: str, role: str, *, by: str, now: datetime) -> None:
        """Give another role; every browser is logged out. Raises NotFound, InvalidRequest, and Conflict for the last administrator."""
        _check_role(role)
        with self.database.writing() as session:
            row = _row(session, name)
            if row.role == role:
                return
            _demand_another_administrator(session, row)
            told = {"from": row.role, "to": role}
            row.role = role
            session.execute(delete(SessionRow).where(SessionRow.user == name))
            append_entry(session, at=now, actor=by, action="change role", subject=name, detail=told)

    def replace_password(self, name: str, password_hash: str, *, by: str, now: datetime) -> None:
        """Have a user log in with a password that he has to replace; every browser of his is logged out. Raises NotFound."""
        with self.database.writing() as session:
            row = _row(session, name)
            row.password_hash, row.must_change, row.failures, row.locked_until = password_hash, True, 0, None
            session.execute(delete(SessionRow).where(SessionRow.user == name))
            append_entry(session, at=now, actor=by, action="new one-time password", subject=name, detail={})

    def remove(self, name: str, *, by: str, now: datetime) -> None:
        """Let a user in no more: browsers, tokens, passkeys and second factor end.

        Raises NotFound, and Conflict for the last administrator.
        """
        with self.database.writing() as session:
            row = _row(session, name)
            _demand_another_administrator(session, row)
            forget(session, name)
            session.delete(row)
            append_entry(session, at=now, actor=by, action="remove user", subject=name, detail={"role": row.role})


def _check_role(role: str) -> None:
    if role not in ROLES:
        raise InvalidRequest(f"{role[:40]!r} is no role: {', '.join(ROLES)}. Nothing was changed.", field="role")


def _demand_another_administrator(session: Session, row: UserRow) -> None:
    others = select(func.count()).where(UserRow.role == HIGHEST, UserRow.name != row.name)
    if row.role == HIGHEST and not session.scalar(others):
        raise Conflict(f"{row.name} is the only administrator. Nothing was changed; make somebody else one first.")


def _row(session: Session, name: str) -> UserRow:
    row = session.get(UserRow, name)
    if row is None:
        raise NotFound(f"There is no user {name[:64]!r}. Nothing was changed; `appliance user list` names them.")
    return row
