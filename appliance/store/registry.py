"""The instances and their recovery points."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import delete, select, update
from sqlalchemy.exc import IntegrityError

from appliance.domain.instance import Archive, Deployment, Instance, InstanceState, RecoveryPoint
from appliance.domain.objectives import Objectives
from appliance.domain.tls import Tls, tls_of_json
from appliance.errors import Conflict, NotFound
from appliance.store.database import Database
from appliance.store.models import AuditRow, InstanceRow, NoticeRow, PointRow


@dataclass(frozen=True, kw_only=True)
class Instances:
    """Every CRM the appliance keeps."""

    database: Database

    def list(self) -> list[Instance]:
        """By name; the scratch copies of drills are left out."""
        query = select(InstanceRow).where(InstanceRow.state != InstanceState.SCRATCH).order_by(InstanceRow.name)
        with self.database.reading() as session:
            return [_instance(row) for row in session.scalars(query)]

    def get(self, name: str) -> Instance:
        """Raises NotFound."""
        with self.database.reading() as session:
            row = session.get(InstanceRow, name)
        if row is None:
            raise NotFound(f"There is no instance {name!r}. `appliance instance list` names them.")
        return _instance(row)

    def find(self, name: str) -> Instance | None:
        """The instance of that name, or None."""
        with self.database.reading() as session:
            row = session.get(InstanceRow, name)
        return None if row is None else _instance(row)

    def add(self, instance: Instance, *, instead_of_lost: bool = False) -> None:
        """Take the name, the slot and with it the ports. Raises Conflict when one of them is taken."""
        values = {
            **{name: value for name, value in vars(instance).items() if name != "objectives"},
            **_columns(instance.objectives),
            "settings": dict(instance.settings),
            "tls": instance.tls.as_json(),
            "deployment": None,
            "previous": None,
            "archive": None,
        }
        try:
            with self.database.writing() as session:
                if instead_of_lost:
                    session.execute(delete(InstanceRow).where(InstanceRow.name == instance.name, InstanceRow.state == InstanceState.LOST))
                session.add(InstanceRow(**values))
        except IntegrityError:
            raise Conflict(f"An instance named {instance.name} exists already. Nothing was changed.") from None

    def free_slot(self, *, besides: Iterable[int] = ()) -> int:
        """The lowest number that no instance has and that is not among `besides`; ports are derived from it."""
        with self.database.reading() as session:
            taken = {*session.scalars(select(InstanceRow.slot)), *besides}
        return next(slot for slot in range(len(taken) + 1) if slot not in taken)

    def serve(self, name: str, deployment: Deployment | None, *, previous: Deployment | None) -> None:
        """Write which deployment serves and which one is the way back."""
        with self.database.writing() as session:
            row = session.get_one(InstanceRow, name)
            row.deployment = None if deployment is None else deployment.as_variables()
            row.previous = None if previous is None else previous.as_variables()
            if deployment is not None:
                row.release, row.series = deployment.version, deployment.series

    def archive(self, name: str, archive: Archive | None) -> None:
        """Write where the log of its database is received."""
        with self.database.writing() as session:
            session.get_one(InstanceRow, name).archive = None if archive is None else dict(vars(archive))

    def protect(self, name: str, tls: Tls) -> None:
        """Write which certificate it shows."""
        with self.database.writing() as session:
            session.get_one(InstanceRow, name).tls = tls.as_json()

    def ask_approval(self, name: str, *, wanted: bool, by: str, now: datetime) -> None:
        """Write whether a second person has to agree to what changes it, and who said so. Raises NotFound."""
        self.get(name)
        with self.database.writing() as session:
            session.get_one(InstanceRow, name).asks_approval = wanted
            session.add(AuditRow(at=now, actor=by, action="approval", subject=name, detail={"wanted": wanted}))

    def publish(self, name: str, *, wanted: bool, by: str, now: datetime) -> None:
        """Write whether the status page shows it, and who said so. Raises NotFound."""
        self.get(name)
        with self.database.writing() as session:
            session.get_one(InstanceRow, name).is_public = wanted
            session.add(AuditRow(at=now, actor=by, action="publish", subject=name, detail={"wanted": wanted}))

    def promise(self, name: str, objectives: Objectives, *, by: str, now: datetime) -> None:
        """Write what is promised of it, and who said so. Raises NotFound."""
        self.get(name)
        with self.database.writing() as session:
            row = session.get_one(InstanceRow, name)
            for column, value in _columns(objectives).items():
                setattr(row, column, value)
            session.add(AuditRow(at=now, actor=by, action="objectives", subject=name, detail=_columns(objectives)))

    def mark(self, name: str, state: InstanceState) -> None:
        """Write where it stands in its life."""
        with self.database.writing() as session:
            session.get_one(InstanceRow, name).state = state

    def lose(self, name: str) -> None:
        """Write that it is gone with its host."""
        with self.database.writing() as session:
            row = session.get_one(InstanceRow, name)
            row.state, row.deployment, row.previous, row.archive = InstanceState.LOST, None, None, None

    def forget_copies(self, host: str) -> None:
        """Forget the scratch copies on a host."""
        with self.database.writing() as session:
            session.execute(delete(InstanceRow).where(InstanceRow.host == host, InstanceRow.state == InstanceState.SCRATCH))

    def remove(self, name: str) -> None:
        """Forget it, and what its users were told; its recovery points stay."""
        with self.database.writing() as session:
            session.execute(delete(NoticeRow).where(NoticeRow.instance == name))
            session.execute(delete(InstanceRow).where(InstanceRow.name == name))


@dataclass(frozen=True, kw_only=True)
class Points:
    """Recovery points, newest first; the repository itself is the authority on what exists."""

    database: Database

    def list(self, instance: str) -> list[RecoveryPoint]:
        """Newest first."""
        query = select(PointRow).where(PointRow.instance == instance).order_by(PointRow.at.desc(), PointRow.id.desc())
        with self.database.reading() as session:
            return [_point(row) for row in session.scalars(query)]

    def all(self) -> Sequence[RecoveryPoint]:
        """Of every instance by name, of removed ones too; of each, newest first."""
        query = select(PointRow).order_by(PointRow.instance, PointRow.at.desc(), PointRow.id.desc())
        with self.database.reading() as session:
            return [_point(row) for row in session.scalars(query)]

    def get(self, point: str) -> RecoveryPoint:
        """Raises NotFound."""
        with self.database.reading() as session:
            row = session.get(PointRow, point)
        if row is None:
            raise NotFound(f"There is no recovery point {point!r}. `appliance recovery-points NAME` lists them.")
        return _point(row)

    def add(self, point: RecoveryPoint) -> None:
        """Write a point; a point that is there already keeps its proof."""
        with self.database.writing() as session:
            if session.get(PointRow, point.id) is None:
                session.add(PointRow(**{**vars(point), "record": dict(point.record)}))

    def prove(self, point: str, *, at: datetime, proof: Mapping[str, Any]) -> None:
        """Write that a point was restored, and what was seen."""
        with self.database.writing() as session:
            row = session.get_one(PointRow, point)
            row.proven_at, row.proof = at, dict(proof)

    def lie_in(self, repository: str, points: Collection[str]) -> None:
        """Write where points are read from, since the repository that they were made in was lost."""
        with self.database.writing() as session:
            session.execute(update(PointRow).where(PointRow.id.in_(points)).values(repository=repository))

    def forget(self, points: Collection[str]) -> None:
        """Remove points; those that are gone already are no error."""
        with self.database.writing() as session:
            session.execute(delete(PointRow).where(PointRow.id.in_(points)))


def _instance(row: InstanceRow) -> Instance:
    return Instance(
        name=row.name,
        host=row.host,
        product=row.product,
        release=row.release,
        series=row.series,
        state=InstanceState(row.state),
        slot=row.slot,
        address=row.address,
        port=row.port,
        domain=row.domain,
        tls=tls_of_json(row.tls),
        settings=row.settings,
        deployment=None if row.deployment is None else Deployment(**row.deployment),
        previous=None if row.previous is None else Deployment(**row.previous),
        archive=None if row.archive is None else Archive(**row.archive),
        created_at=row.created_at,
        asks_approval=bool(row.asks_approval),
        is_public=bool(row.is_public),
        objectives=Objectives(
            rpo=_length(row.rpo_seconds),
            rto=_length(row.rto_seconds),
            availability=row.availability_ratio,
            latency=_length(row.latency_seconds),
            latency_share=row.latency_ratio,
        ),
    )


def _columns(objectives: Objectives) -> dict[str, float | None]:
    lengths = {"rpo_seconds": objectives.rpo, "rto_seconds": objectives.rto}
    return {
        **{name: None if length is None else int(length.total_seconds()) for name, length in lengths.items()},
        "availability_ratio": objectives.availability,
        "latency_seconds": None if objectives.latency is None else objectives.latency.total_seconds(),
        "latency_ratio": objectives.latency_share,
    }


def _length(seconds: float | None) -> timedelta | None:
    return None if seconds is None else timedelta(seconds=seconds)


def _point(row: PointRow) -> RecoveryPoint:
    return RecoveryPoint(
        id=row.id, instance=row.instance, at=row.at, repository=row.repository, record=row.record, proven_at=row.proven_at, proof=row.proof
    )
