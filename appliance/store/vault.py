"""Secrets at rest: encrypted with the appliance's key, which lives outside the database."""

import os
import secrets
import string
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from cryptography.fernet import Fernet, InvalidToken
from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from appliance.errors import ConfigurationError, NotFound
from appliance.store.database import Database
from appliance.store.models import SecretRow

ALPHABET = string.ascii_letters + string.digits


def _now() -> datetime:
    return datetime.now(UTC)


@dataclass(frozen=True, kw_only=True)
class KeptSecret:
    """That there is a secret, never what it is. `since` is when it was last set, where that is known."""

    scope: str
    name: str
    since: datetime | None


@dataclass(frozen=True, kw_only=True)
class Vault:
    """Keeps secrets by scope (an instance, a repository) and name."""

    database: Database
    key: Fernet
    now: Callable[[], datetime] = _now

    def put(self, scope: str, name: str, value: str) -> None:
        """Keep a secret, replacing an older one."""
        with self.database.writing() as session:
            session.merge(self.row(scope, name, value))

    def row(self, scope: str, name: str, value: str) -> SecretRow:
        """Give it as it is kept, for who writes it together with something else."""
        return SecretRow(scope=scope, name=name, ciphertext=self.key.encrypt(value.encode()), since=self.now())

    def exchange(self, scope: str, values: Mapping[str, str], *, also: Callable[[Session], None]) -> None:
        """Keep these in place of all that a scope has; `also` writes what goes with it. All of it is done, or nothing.

        What stays what it was is left alone.
        """
        with self.database.writing() as session:
            kept = {row.name: row for row in session.scalars(select(SecretRow).where(SecretRow.scope == scope))}
            for gone in kept.keys() - values.keys():
                session.delete(kept[gone])
            for name, value in values.items():
                if name not in kept or self._decrypt(kept[name]) != value:
                    session.merge(self.row(scope, name, value))
            also(session)

    def get(self, scope: str, name: str) -> str:
        """Give a secret back. Raises NotFound, or ConfigurationError when the key is not the one it was encrypted with."""
        with self.database.reading() as session:
            row = session.get(SecretRow, (scope, name))
        if row is None:
            raise NotFound(f"There is no secret {name} of {scope}.")
        return self._decrypt(row)

    def ensure(self, scope: str, name: str, length: int) -> str:
        """Give a secret, made now if there is none; `length` is in characters of 62 kinds."""
        try:
            return self.get(scope, name)
        except NotFound:
            self.put(scope, name, "".join(secrets.choice(ALPHABET) for _ in range(length)))
            return self.get(scope, name)

    def settle(self, scope: str, name: str, value: str) -> str:
        """Keep a secret unless there is one already; give back the one that is kept, also when two ask at once."""
        with self.database.writing() as session:
            row = session.get(SecretRow, (scope, name))
            if row is None:
                row = self.row(scope, name, value)
                session.add(row)
            return self._decrypt(row)

    def scopes(self, prefix: str) -> list[str]:
        """Give every scope that begins so."""
        with self.database.reading() as session:
            return sorted({scope for scope in session.scalars(select(SecretRow.scope).distinct()) if scope.startswith(prefix)})

    def listed(self, scopes: Sequence[str]) -> list[KeptSecret]:
        """Give what there is in these scopes, by scope and name."""
        query = select(SecretRow.scope, SecretRow.name, SecretRow.since).where(SecretRow.scope.in_(scopes))
        with self.database.reading() as session:
            rows = session.execute(query.order_by(SecretRow.scope, SecretRow.name)).all()
        return [KeptSecret(scope=scope, name=name, since=since) for scope, name, since in rows]

    def all(self, scope: str) -> dict[str, str]:
        """Give every secret of a scope by name."""
        with self.database.reading() as session:
            rows = session.scalars(select(SecretRow).where(SecretRow.scope == scope)).all()
        return {row.name: self._decrypt(row) for row in rows}

    def forget_one(self, scope: str, name: str) -> None:
        """Remove one secret."""
        with self.database.writing() as session:
            session.execute(delete(SecretRow).where(SecretRow.scope == scope, SecretRow.name == name))

    def forget(self, scope: str) -> None:
        """Remove every secret of a scope."""
        with self.database.writing() as session:
            session.execute(delete(SecretRow).where(SecretRow.scope == scope))

    def _decrypt(self, row: SecretRow) -> str:
        try:
            return self.key.decrypt(row.ciphertext).decode()
        except InvalidToken:
            raise ConfigurationError(
                f"The secret {row.name} of {row.scope} was encrypted with another key. Put the old key file back; nothing was changed."
            ) from None


def open_key(file: Path) -> Fernet:
    """Read the appliance's key, made now (readable by its owner alone) if there is none."""
    if not file.exists():
        file.parent.mkdir(parents=True, exist_ok=True)
        partial = file.with_suffix(".partial")
        with os.fdopen(os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as stream:
            stream.write(Fernet.generate_key())
            stream.flush()
            os.fsync(stream.fileno())
        partial.rename(file)
    try:
        return Fernet(file.read_bytes())
    except ValueError:
        raise ConfigurationError(f"{file} does not hold a key of the appliance. Put the right file back; nothing was changed.") from None
