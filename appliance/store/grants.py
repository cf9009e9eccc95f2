"""Which CRMs somebody may operate whose role does not let him operate all."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import delete, select

from appliance.domain.instance import InstanceState
from appliance.errors import NotFound
from appliance.store.audit import append_entry
from appliance.store.database import Database
from appliance.store.models import GrantRow, InstanceRow, UserRow


@dataclass(frozen=True, kw_only=True)
class Grants:
    """By user. They end with the CRM, and with the user."""

    database: Database

    def of(self, user: str) -> frozenset[str]:
        """The CRMs of one user."""
        with self.database.reading() as session:
            return frozenset(session.scalars(select(GrantRow.instance).where(GrantRow.user == user)))

    def all(self) -> dict[str, list[str]]:
        """The CRMs of every user who has some, by name."""
        found: dict[str, list[str]] = {}
        with self.database.reading() as session:
            for row in session.scalars(select(GrantRow).order_by(GrantRow.user, GrantRow.instance)):
                found.setdefault(row.user, []).append(row.instance)
        return found

    def add(self, user: str, instance: str, *, by: str, now: datetime) -> None:
        """Let a user operate a CRM; twice is once. Raises NotFound."""
        with self.database.writing() as session:
            _demand_user(session.get(UserRow, user), user)
            found = session.get(InstanceRow, instance)
            if found is None or found.state == InstanceState.SCRATCH:
                raise NotFound(f"There is no CRM {instance[:64]!r}. Nothing was changed.")
            if session.get(GrantRow, (user, instance)) is None:
                session.add(GrantRow(user=user, instance=instance, since=now))
                append_entry(session, at=now, actor=by, action="grant", subject=user, detail={"crm": instance})

    def remove(self, user: str, instance: str, *, by: str, now: datetime) -> None:
        """Let a user operate a CRM no longer. Raises NotFound."""
        with self.database.writing() as session:
            _demand_user(session.get(UserRow, user), user)
            known = (GrantRow.user == user, GrantRow.instance == instance)
            if session.scalars(delete(GrantRow).where(*known).returning(GrantRow.user)).first() is None:
                raise NotFound(f"{user} was not granted {instance[:64]!r}. Nothing was changed.")
            append_entry(session, at=now, actor=by, action="end grant", subject=user, detail={"crm": instance})


def _demand_user(row: UserRow | None, user: str) -> None:
    if row is None:
        raise NotFound(f"There is no user {user[:64]!r}. Nothing was changed; `appliance user list` names them.")
