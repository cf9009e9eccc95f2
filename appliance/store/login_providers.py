"""The provider that people log in by, and who is who there. Its secret lies in the vault."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from pydantic import TypeAdapter
from sqlalchemy import delete, select, update

from appliance.domain.login_provider import Identity, LoginProvider
from appliance.errors import Conflict, NotFound
from appliance.store.audit import append_entry
from appliance.store.database import Database
from appliance.store.models import IdentityRow, LoginProviderRow, SecretRow, SessionRow, UserRow
from appliance.store.vault import Vault

SCOPE, SECRET = "login-provider", "client-secret"
ONLY = 1
PROVIDER = TypeAdapter(LoginProvider)


@dataclass(frozen=True, kw_only=True)
class LoginProviders:
    """There is one, or none."""

    database: Database
    vault: Vault

    def find(self) -> LoginProvider | None:
        """It, or None."""
        with self.database.reading() as session:
            row = session.get(LoginProviderRow, ONLY)
        return None if row is None else PROVIDER.validate_python(row.settings)

    def secret(self) -> str:
        """What the appliance shows it of itself. Raises NotFound."""
        return self.vault.get(SCOPE, SECRET)

    def put(self, provider: LoginProvider, *, secret: str, by: str, now: datetime) -> None:
        """Have people log in by it from now on: all of it and its entry in the audit, or none."""
        with self.database.writing() as session:
            session.merge(LoginProviderRow(id=ONLY, settings=PROVIDER.dump_python(provider, mode="json"), since=now))
            session.merge(self.vault.row(SCOPE, SECRET, secret))
            told = {"issuer": provider.issuer, "client": provider.client_id, "makes users": provider.makes_users}
            append_entry(session, at=now, actor=by, action="set login provider", subject=provider.name, detail=told)

    def remove(self, *, by: str, now: datetime) -> None:
        """Have nobody log in by it any more; who is who there is kept. Raises NotFound."""
        with self.database.writing() as session:
            row = session.get(LoginProviderRow, ONLY)
            if row is None:
                raise NotFound("There is no login provider. Nothing was changed.")
            name = PROVIDER.validate_python(row.settings).name
            session.delete(row)
            session.execute(delete(SecretRow).where(SecretRow.scope == SCOPE))
            append_entry(session, at=now, actor=by, action="remove login provider", subject=name, detail={})

    def identities(self) -> list[Identity]:
        """Who is known there, by user."""
        with self.database.reading() as session:
            return [_identity(row) for row in session.scalars(select(IdentityRow).order_by(IdentityRow.user, IdentityRow.subject))]

    def identity(self, issuer: str, subject: str) -> Identity | None:
        """Whoever that is, or None."""
        with self.database.reading() as session:
            row = session.get(IdentityRow, (issuer, subject))
        return None if row is None else _identity(row)

    def link(self, *, issuer: str, subject: str, user: str, by: str, now: datetime) -> None:
        """Let a user that there is log in by the provider, too; the role stays. Raises NotFound, and Conflict for one that is known."""
        with self.database.writing() as session:
            if session.get(UserRow, user) is None:
                raise NotFound(f"There is no user {user[:64]!r}. Nothing was changed; `appliance user list` names them.")
            if (known := session.get(IdentityRow, (issuer, subject))) is not None:
                raise Conflict(f"This subject is {known.user} already. Nothing was changed.")
            session.add(IdentityRow(issuer=issuer, subject=subject, user=user, follows=False, since=now, last_used_at=None))
            append_entry(session, at=now, actor=by, action="link user", subject=user, detail={"issuer": issuer, "subject": subject})

    def unlink(self, *, issuer: str, subject: str, by: str, now: datetime) -> None:
        """Let nobody log in as that subject any more. Raises NotFound."""
        with self.database.writing() as session:
            row = session.get(IdentityRow, (issuer, subject))
            if row is None:
                raise NotFound("The provider's subject is nobody here. Nothing was changed; `appliance login-provider show` names them.")
            session.delete(row)
            append_entry(session, at=now, actor=by, action="unlink user", subject=row.user, detail={"issuer": issuer, "subject": subject})

    def make_user(self, *, issuer: str, subject: str, name: str, role: str, password_hash: str, now: datetime) -> None:
        """Make a user for whoever comes for the first time. Raises Conflict where the name belongs to somebody: it is never taken over."""
        with self.database.writing() as session:
            if session.get(UserRow, name) is not None:
                raise Conflict(f"There is a user {name!r} here already, who is not known to be you. Ask an administrator to link the two.")
            session.add(UserRow(name=name, password_hash=password_hash, role=role, must_change=False, failures=0, created_at=now))
            session.flush()
            session.add(IdentityRow(issuer=issuer, subject=subject, user=name, follows=True, since=now, last_used_at=now))
            told = {"issuer": issuer, "subject": subject, "role": role}
            append_entry(session, at=now, actor=name, action="make user", subject=name, detail=told)

    def note_use(self, identity: Identity, *, role: str, now: datetime) -> None:
        """Note a log-in; who follows the provider has the role that it says now, and other browsers with another role end."""
        with self.database.writing() as session:
            known = (IdentityRow.issuer == identity.issuer, IdentityRow.subject == identity.subject)
            session.execute(update(IdentityRow).where(*known).values(last_used_at=now))
            user = session.get_one(UserRow, identity.user)
            if identity.follows and user.role != role:
                told: Mapping[str, str] = {"from": user.role, "to": role}
                user.role = role
                session.execute(delete(SessionRow).where(SessionRow.user == user.name))
                append_entry(session, at=now, actor=user.name, action="change role by login provider", subject=user.name, detail=told)


def _identity(row: IdentityRow) -> Identity:
    return Identity(**{column.name: getattr(row, column.name) for column in IdentityRow.__table__.columns})
