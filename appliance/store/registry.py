"""The instances and their recovery points."""

import functools
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, delete, func, or_, select, true, tuple_, update
from sqlalchemy.exc import IntegrityError

from appliance.domain.closure import Closure
from appliance.domain.instance import Archive, Deployment, Instance, InstanceGlance, InstanceState, PointGlance, RecoveryPoint
from appliance.domain.objectives import Objectives
from appliance.domain.tls import Tls, tls_of_json
from appliance.errors import Conflict, NotFound
from appliance.store.audit import append_entry
from appliance.store.database import Database
from appliance.store.models import AdoptionRow, GrantRow, InstanceRow, NoticeRow, PointRow
from appliance.store.newest import newest_points


@dataclass(frozen=True, kw_only=True)
class Instances:
    """Every CRM the appliance keeps."""

    database: Database

    def list(self, *, after: str = "", limit: int | None = None) -> list[Instance]:
        """By name, those whose name comes `after`; the scratch copies of drills are left out."""
        query = select(InstanceRow).where(InstanceRow.state != InstanceState.SCRATCH, InstanceRow.name > after)
        query = query.order_by(InstanceRow.name).limit(limit)
        with self.database.reading() as session:
            return [_instance(row) for row in session.scalars(query)]

    def some(self, names: Collection[str]) -> Sequence[Instance]:
        """Those of these names that are there, by name."""
        query = select(InstanceRow).where(InstanceRow.name.in_(names)).order_by(InstanceRow.name)
        with self.database.reading() as session:
            return [_instance(row) for row in session.scalars(query)]

    def public(self) -> Sequence[Instance]:
        """Those that the status page shows, by name."""
        query = select(InstanceRow).where(InstanceRow.is_public, InstanceRow.state != InstanceState.SCRATCH).order_by(InstanceRow.name)
        with self.database.reading() as session:
            return [_instance(row) for row in session.scalars(query)]

    def names(self, *, lost: bool = True) -> Sequence[str]:
        """Of all, in order, with or without those that are lost; the scratch copies of drills are left out."""
        left_out = (InstanceState.SCRATCH,) if lost else (InstanceState.SCRATCH, InstanceState.LOST)
        query = select(InstanceRow.name).where(InstanceRow.state.not_in(left_out)).order_by(InstanceRow.name)
        with self.database.reading() as session:
            return session.scalars(query).all()

    def places(self) -> Sequence[tuple[str, str]]:
        """The address and the domain of each, by name; the scratch copies of drills are left out."""
        query = select(InstanceRow.address, InstanceRow.domain).where(InstanceRow.state != InstanceState.SCRATCH)
        with self.database.reading() as session:
            return [(address, domain) for address, domain in session.execute(query.order_by(InstanceRow.name))]

    def glances(self) -> Sequence[InstanceGlance]:
        """The little that is asked of each of many, by name; the scratch copies of drills are left out."""
        deployed = func.coalesce(func.json_type(InstanceRow.deployment), "null") != "null"
        promised = (getattr(InstanceRow, name) for name in _PROMISED)
        query = (
            select(*(getattr(InstanceRow, name) for name in _GLANCED), deployed, InstanceRow.closed, *promised)
            .where(InstanceRow.state != InstanceState.SCRATCH)
            .order_by(InstanceRow.name)
        )
        with self.database.reading() as session:
            return [_instance_glance(tuple(row)) for row in session.execute(query)]

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
            **{name: value for name, value in vars(instance).items() if name not in ("objectives", "closed")},
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

    def serve(
        self, name: str, deployment: Deployment | None, *, previous: Deployment | None, settings: Mapping[str, Any] | None = None
    ) -> None:
        """Write which deployment serves and which one is the way back; with `settings`, those that it has."""
        with self.database.writing() as session:
            row = session.get_one(InstanceRow, name)
            row.deployment = None if deployment is None else deployment.as_variables()
            row.previous = None if previous is None else previous.as_variables()
            if deployment is not None:
                row.release, row.series = deployment.version, deployment.series
            if settings is not None:
                row.settings = dict(settings)

    def archive(self, name: str, archive: Archive | None) -> None:
        """Write where the log of its database is received."""
        with self.database.writing() as session:
            session.get_one(InstanceRow, name).archive = None if archive is None else dict(vars(archive))

    def close(self, name: str, closure: Closure | None) -> None:
        """Write that its visitors are turned away, and who says so; None that they are let in."""
        kept = None if closure is None else {**vars(closure), "at": closure.at.isoformat()}
        with self.database.writing() as session:
            session.get_one(InstanceRow, name).closed = kept

    def protect(self, name: str, tls: Tls) -> None:
        """Write which certificate it shows."""
        with self.database.writing() as session:
            session.get_one(InstanceRow, name).tls = tls.as_json()

    def ask_approval(self, name: str, *, wanted: bool, by: str, now: datetime) -> None:
        """Write whether a second person has to agree to what changes it, and who said so. Raises NotFound."""
        self._switch(name, "asks_approval", action="approval", wanted=wanted, by=by, now=now)

    def publish(self, name: str, *, wanted: bool, by: str, now: datetime) -> None:
        """Write whether the status page shows it, and who said so. Raises NotFound."""
        self._switch(name, "is_public", action="publish", wanted=wanted, by=by, now=now)

    def measure_adoption(self, name: str, *, wanted: bool, by: str, now: datetime) -> None:
        """Write whether it is measured how much people work with it, and who said so. Raises NotFound."""
        self._switch(name, "measures_adoption", action="adoption", wanted=wanted, by=by, now=now)

    def _switch(self, name: str, column: str, *, action: str, wanted: bool, by: str, now: datetime) -> None:
        self.get(name)
        with self.database.writing() as session:
            setattr(session.get_one(InstanceRow, name), column, wanted)
            append_entry(session, at=now, actor=by, action=action, subject=name, detail={"wanted": wanted})

    def promise(self, name: str, objectives: Objectives, *, by: str, now: datetime) -> None:
        """Write what is promised of it, and who said so. Raises NotFound."""
        self.get(name)
        with self.database.writing() as session:
            row = session.get_one(InstanceRow, name)
            for column, value in _columns(objectives).items():
                setattr(row, column, value)
            append_entry(session, at=now, actor=by, action="objectives", subject=name, detail=_columns(objectives))

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
        """Forget it, what its users were told, how they worked with it, and who might operate it; its recovery points stay."""
        with self.database.writing() as session:
            session.execute(delete(GrantRow).where(GrantRow.instance == name))
            session.execute(delete(NoticeRow).where(NoticeRow.instance == name))
            session.execute(delete(AdoptionRow).where(AdoptionRow.instance == name))
            session.execute(delete(InstanceRow).where(InstanceRow.name == name))


_AGE = tuple_(PointRow.at, PointRow.id)


@dataclass(frozen=True, kw_only=True)
class Points:
    """Recovery points, newest first; the repository itself is the authority on what exists."""

    database: Database

    def list(self, instance: str, *, below: tuple[datetime, str] | None = None, limit: int | None = None) -> list[RecoveryPoint]:
        """Newest first; `below` is the moment and id to go on below."""
        query = select(PointRow).where(PointRow.instance == instance).order_by(PointRow.at.desc(), PointRow.id.desc()).limit(limit)
        if below is not None:
            query = query.where(below > _AGE)
        with self.database.reading() as session:
            return [_point(row) for row in session.scalars(query)]

    def newest(self, instances: Collection[str] | None = None) -> dict[str, PointGlance]:
        """The newest of each instance that there is, or of these, by its name."""
        with self.database.reading() as session:
            return {name: PointGlance(at=at) for name, at in session.execute(newest_points(instances)) if at is not None}

    def newest_proven(self, instances: Collection[str] | None = None) -> dict[str, PointGlance]:
        """The one that was proven last of each instance, or of these, by its name."""
        query = select(PointRow.instance, func.max(PointRow.proven_at).label("proven_at")).where(
            PointRow.proven_at.is_not(None), _of(instances)
        )
        last = query.group_by(PointRow.instance).subquery()
        is_last = (PointRow.instance == last.c.instance) & (PointRow.proven_at == last.c.proven_at)
        columns = (PointRow.instance, PointRow.at, PointRow.proven_at, PointRow.measured_rto_seconds)
        with self.database.reading() as session:
            found = session.execute(select(*columns).join(last, is_last).order_by(PointRow.instance, PointRow.at))
            return {name: PointGlance(at=at, proven_at=proven, measured_rto=_length(seconds)) for name, at, proven, seconds in found}

    def all(self, *, below: tuple[str, datetime, str] | None = None, limit: int | None = None) -> Sequence[RecoveryPoint]:
        """Of every instance by name, of removed ones too; of each, newest first. `below` is the instance, moment and id to go on below."""
        query = select(PointRow).order_by(PointRow.instance, PointRow.at.desc(), PointRow.id.desc()).limit(limit)
        if below is not None:
            instance, *age = below
            query = query.where(PointRow.instance >= instance, or_(PointRow.instance > instance, tuple(age) > _AGE))
        with self.database.reading() as session:
            return [_point(row) for row in session.scalars(query)]

    def instances(self) -> Sequence[str]:
        """Whose there are, by name; of removed ones, too."""
        with self.database.reading() as session:
            return session.scalars(select(PointRow.instance).distinct().order_by(PointRow.instance)).all()

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


_GLANCED = ("name", "host", "product", "release", "domain", "state")
_PROMISED = ("rpo_seconds", "rto_seconds", "availability_ratio", "latency_seconds", "latency_ratio")


def _of(instances: Collection[str] | None) -> ColumnElement[bool]:
    return true() if instances is None else PointRow.instance.in_(instances)


def _instance_glance(row: Sequence[Any]) -> InstanceGlance:
    name, host, product, release, domain, state, has_deployment, closed, *promised = row
    return InstanceGlance(
        name=name,
        host=host,
        product=product,
        release=release,
        domain=domain,
        state=InstanceState(state),
        has_deployment=bool(has_deployment),
        closed=_closure(closed),
        objectives=_objectives(*promised),
    )


@functools.lru_cache
def _objectives(
    rpo: float | None, rto: float | None, availability: float | None, latency: float | None, latency_share: float | None
) -> Objectives:
    return Objectives(rpo=_length(rpo), rto=_length(rto), availability=availability, latency=_length(latency), latency_share=latency_share)


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
        measures_adoption=bool(row.measures_adoption),
        objectives=_objectives(*(getattr(row, name) for name in _PROMISED)),
        closed=_closure(row.closed),
    )


def _closure(kept: Mapping[str, Any] | None) -> Closure | None:
    return Closure(**{**kept, "at": datetime.fromisoformat(kept["at"])}) if kept else None


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
