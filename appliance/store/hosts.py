"""The machines that instances run on."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import delete, func, select
from sqlalchemy.exc import IntegrityError

from appliance.domain.host import Host, HostPolicy, HostState
from appliance.errors import Conflict, NotFound
from appliance.store.database import Database
from appliance.store.models import HostRow, InstanceRow


@dataclass(frozen=True, kw_only=True)
class Hosts:
    """Every host; this machine is among them from the beginning."""

    database: Database

    def list(self) -> list[Host]:
        """By name."""
        with self.database.reading() as session:
            return [_host(row) for row in session.scalars(select(HostRow).order_by(HostRow.name))]

    def count(self) -> int:
        """How many there are."""
        with self.database.reading() as session:
            return session.scalars(select(func.count()).select_from(HostRow)).one()

    def get(self, name: str) -> Host:
        """Raises NotFound."""
        with self.database.reading() as session:
            row = session.get(HostRow, name)
        if row is None:
            raise NotFound(f"There is no host {name!r}. `appliance host list` names them.")
        return _host(row)

    def add(self, host: Host) -> None:
        """Raises Conflict when the name is taken."""
        try:
            with self.database.writing() as session:
                session.add(HostRow(**{**vars(host), "facts": dict(host.facts), "policy": asdict(host.policy)}))
        except IntegrityError:
            raise Conflict(f"A host named {host.name} is there already. Nothing was changed.") from None

    def trust(self, name: str, host_key: str) -> None:
        """Replace the key that the host is known by."""
        with self.database.writing() as session:
            session.get_one(HostRow, name).host_key = host_key

    def see(self, name: str, facts: Mapping[str, Any], *, now: datetime) -> None:
        """Write down what was seen of it."""
        with self.database.writing() as session:
            row = session.get_one(HostRow, name)
            row.facts, row.seen_at = dict(facts), now

    def set_policy(self, name: str, policy: HostPolicy) -> None:
        """Write down how it is to be kept."""
        with self.database.writing() as session:
            session.get_one(HostRow, name).policy = asdict(policy)

    def mark(self, name: str, state: HostState) -> None:
        """Write where it stands."""
        with self.database.writing() as session:
            session.get_one(HostRow, name).state = state

    def remove(self, name: str) -> None:
        """Forget it. Raises Conflict while instances are on it."""
        with self.database.writing() as session:
            on_it = session.scalars(select(InstanceRow.name).where(InstanceRow.host == name)).all()
            if on_it:
                raise Conflict(f"{', '.join(on_it)} is on the host {name}. Nothing was changed; remove the instances first.")
            session.execute(delete(HostRow).where(HostRow.name == name))


def _host(row: HostRow) -> Host:
    return Host(
        name=row.name,
        address=row.address,
        port=row.port,
        user=row.user,
        host_key=row.host_key,
        state=HostState(row.state),
        facts=row.facts,
        seen_at=row.seen_at,
        created_at=row.created_at,
        policy=HostPolicy(**row.policy),
    )
