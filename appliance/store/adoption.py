"""How much each CRM is worked with, as it was told last."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass

from pydantic import TypeAdapter
from sqlalchemy import delete, select

from appliance.domain.adoption import Adoption
from appliance.store.database import Database
from appliance.store.models import AdoptionRow

ADAPTER = TypeAdapter(Adoption)


@dataclass(frozen=True, kw_only=True)
class Adoptions:
    """The last answers of each CRM."""

    database: Database

    def list(self) -> list[Adoption]:
        """By instance."""
        with self.database.reading() as session:
            return [_adoption(row) for row in session.scalars(select(AdoptionRow).order_by(AdoptionRow.instance))]

    def some(self, instances: Collection[str]) -> Sequence[Adoption]:
        """The last answers of these CRMs."""
        query = select(AdoptionRow).where(AdoptionRow.instance.in_(instances)).order_by(AdoptionRow.instance)
        with self.database.reading() as session:
            return [_adoption(row) for row in session.scalars(query)]

    def find(self, instance: str) -> Adoption | None:
        """Of one CRM, if it was ever asked."""
        with self.database.reading() as session:
            row = session.get(AdoptionRow, instance)
        return None if row is None else _adoption(row)

    def put(self, adoption: Adoption) -> None:
        """Write answers down in place of those before."""
        answer = ADAPTER.dump_python(adoption, mode="json")
        with self.database.writing() as session:
            session.merge(AdoptionRow(instance=adoption.instance, tried_at=adoption.tried_at, answer=answer))

    def keep_only(self, instances: set[str]) -> None:
        """Forget all of a CRM that is gone, or is asked no longer."""
        with self.database.writing() as session:
            session.execute(delete(AdoptionRow).where(AdoptionRow.instance.not_in(instances)))


def _adoption(row: AdoptionRow) -> Adoption:
    return ADAPTER.validate_python(row.answer)
