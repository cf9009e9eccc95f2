"""Secrets at rest: encrypted with the appliance's key, which lives outside the database."""

import os
import secrets
import string
from dataclasses import dataclass
from pathlib import Path

from cryptography.fernet import Fernet, InvalidToken
from sqlalchemy import delete, select

from appliance.errors import ConfigurationError, NotFound
from appliance.store.database import Database
from appliance.store.models import SecretRow

ALPHABET = string.ascii_letters + string.digits


@dataclass(frozen=True, kw_only=True)
class Vault:
    """Keeps secrets by scope (an instance, a repository) and name."""

    database: Database
    key: Fernet

    def put(self, scope: str, name: str, value: str) -> None:
        """Keep a secret, replacing an older one."""
        with self.database.writing() as session:
            session.merge(SecretRow(scope=scope, name=name, ciphertext=self.key.encrypt(value.encode())))

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
                row = SecretRow(scope=scope, name=name, ciphertext=self.key.encrypt(value.encode()))
                session.add(row)
            return self._decrypt(row)

    def scopes(self, prefix: str) -> list[str]:
        """Give every scope that begins so."""
        with self.database.reading() as session:
            return sorted({scope for scope in session.scalars(select(SecretRow.scope).distinct()) if scope.startswith(prefix)})

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
