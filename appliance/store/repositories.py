"""The repositories elsewhere."""

from collections.abc import Collection
from dataclasses import dataclass, fields
from datetime import datetime
from typing import Any

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from appliance.domain.repository import Repository
from appliance.errors import NotFound
from appliance.store.audit import append_entry
from appliance.store.database import Database
from appliance.store.models import RepositoryRow


@dataclass(frozen=True, kw_only=True)
class Repositories:
    """Each that recovery points are copied to."""

    database: Database

    def list(self) -> list[Repository]:
        """By name."""
        with self.database.reading() as session:
            return [_repository(row) for row in session.scalars(select(RepositoryRow).order_by(RepositoryRow.name))]

    def get(self, name: str) -> Repository:
        """Raises NotFound."""
        with self.database.reading() as session:
            row = session.get(RepositoryRow, name)
        if row is None:
            raise NotFound(f"There is no repository {name!r}. `appliance repository list` names them.")
        return _repository(row)

    def add(self, repository: Repository, *, by: str) -> None:
        """Keep it; its name was found to be free."""
        with self.database.writing() as session:
            session.add(RepositoryRow(**vars(repository)))
            detail = {"location": repository.location}
            append_entry(session, at=repository.created_at, actor=by, action="add repository", subject=repository.name, detail=detail)

    def note(self, name: str, text: str, *, works: bool, now: datetime) -> None:
        """Write how the last copying to it went."""
        with self.database.writing() as session:
            if (row := session.get(RepositoryRow, name)) is not None:
                row.note, row.works, row.noted_at = text, works, now

    def keep_state(self, name: str, *, now: datetime) -> None:
        """Write that the appliance's own state is kept there."""
        with self.database.writing() as session:
            if (row := session.get(RepositoryRow, name)) is not None:
                row.state_kept_at = now

    def prove_kit(self, name: str, *, now: datetime) -> None:
        """Write that the recovery kit opened that state."""
        with self.database.writing() as session:
            if (row := session.get(RepositoryRow, name)) is not None:
                row.kit_proven_at = now

    def retain(self, name: str, retention: dict[str, Any] | None, *, by: str, now: datetime) -> None:
        """Write what is kept there; None where nothing is given up from here. Raises NotFound."""
        self.get(name)
        with self.database.writing() as session:
            session.get_one(RepositoryRow, name).retention = retention
            append_entry(session, at=now, actor=by, action="repository retention", subject=name, detail=retention or {})

    def remove(self, name: str, *, by: str, now: datetime) -> None:
        """Forget it; what lies there stays there. Raises NotFound."""
        self.get(name)
        with self.database.writing() as session:
            session.execute(delete(RepositoryRow).where(RepositoryRow.name == name))
            append_entry(session, at=now, actor=by, action="remove repository", subject=name, detail={})


def note_new_credentials(session: Session, name: str, *, told: Collection[str], by: str, now: datetime) -> None:
    """Write that a repository is asked with something else now; `told` are the names of what was replaced. Raises NotFound."""
    row = session.get(RepositoryRow, name)
    if row is None:
        raise NotFound(f"There is no repository {name!r}. `appliance repository list` names them.")
    row.credentials_at = now
    append_entry(session, at=now, actor=by, action="replace secret", subject=f"repository {name}", detail={"secrets": sorted(told)})


def _repository(row: RepositoryRow) -> Repository:
    return Repository(**{field.name: getattr(row, field.name) for field in fields(Repository)})
