"""What the overview says of each CRM, and what it asks somebody to look at."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from appliance.domain.instance import Instance, InstanceState, RecoveryPoint
from appliance.domain.measures import duration
from appliance.domain.operation import Operation, OperationStatus
from appliance.store import Store
from appliance.web.formats import ago, kind_title, subject_title
from appliance.web.watching import UNSEEN, Health, Sighting, read_sightings
from appliance.wiring import Appliance

OLD_PROOF = timedelta(days=30)
UNSUCCESSFUL = (OperationStatus.FAILED, OperationStatus.ROLLED_BACK, OperationStatus.NEEDS_ATTENTION)


@dataclass(frozen=True, kw_only=True)
class Attention:
    """One thing to look at: a sentence, and the page that mends it or leads there."""

    severity: str
    text: str
    address: str
    action: str


@dataclass(frozen=True, kw_only=True)
class Summary:
    """A CRM at a glance."""

    instance: Instance
    last_point: RecoveryPoint | None
    last_proven: RecoveryPoint | None
    running: Operation | None
    last_operation: Operation | None
    sighting: Sighting
    host: str | None
    """Named where there is more than one."""
    attention: tuple[Attention, ...]

    @property
    def state(self) -> str:
        """What the pill says: how the CRM was found, or where it stands in its life while nobody looks."""
        is_seen = self.instance.state == InstanceState.ACTIVE and self.sighting.health != Health.UNKNOWN
        return self.sighting.health.value if is_seen else self.instance.state.value


def instances_of(store: Store) -> list[Instance]:
    """Every CRM by name, without the scratch copies of drills."""
    return [instance for instance in store.instances.list() if instance.state != InstanceState.SCRATCH]


def summarize_all(appliance: Appliance, now: datetime) -> list[Summary]:
    """Every CRM at a glance, by name."""
    sightings = read_sightings(appliance.settings.ledger_file, now)
    return [_summarize(appliance.store, instance, sightings.get(instance.name, UNSEEN), now) for instance in instances_of(appliance.store)]


def summarize(appliance: Appliance, instance: Instance, now: datetime) -> Summary:
    """One CRM at a glance."""
    sighting = read_sightings(appliance.settings.ledger_file, now).get(instance.name, UNSEEN)
    return _summarize(appliance.store, instance, sighting, now)


def _summarize(store: Store, instance: Instance, sighting: Sighting, now: datetime) -> Summary:
    points = store.points.list(instance.name)
    operations = store.operations.list(instance=instance.name, limit=1)
    last = operations[0] if operations else None
    proven = [point for point in points if point.proven_at]
    last_proven = max(proven, key=lambda point: point.proven_at or point.at, default=None)
    running = last if last and not last.status.is_final else None
    return Summary(
        instance=instance,
        last_point=points[0] if points else None,
        last_proven=last_proven,
        running=running,
        last_operation=last,
        sighting=sighting,
        host=instance.host if len(store.hosts.list()) > 1 else None,
        attention=(
            *_of_health(instance, sighting),
            *attention_of_operation(last),
            *_of_backups(instance, points, last_proven, running, now),
        ),
    )


def _of_health(instance: Instance, sighting: Sighting) -> list[Attention]:
    if instance.state != InstanceState.ACTIVE or sighting.health not in (Health.DOWN, Health.DEGRADED):
        return []
    severity = "red" if sighting.health == Health.DOWN else "orange"
    text = f"{instance.name} is {sighting.health.value}{f': {sighting.reason}' if sighting.reason else ''}."
    return [Attention(severity=severity, text=text, address=f"/instances/{instance.name}", action="Look")]


def attention_of_operation(last: Operation | None) -> list[Attention]:
    """What to look at when the last operation of an instance or a host did not succeed."""
    if last is None or last.status not in UNSUCCESSFUL:
        return []
    needs_hands = last.status == OperationStatus.NEEDS_ATTENTION
    verdict = "needs you" if needs_hands else last.status.value.replace("_", " ")
    text = f"{kind_title(last.kind)} of {subject_title(last.instance)}: {verdict}."
    return [Attention(severity="red" if needs_hands else "orange", text=text, address=f"/operations/{last.id}", action="See why")]


def _of_backups(
    instance: Instance, points: list[RecoveryPoint], last_proven: RecoveryPoint | None, running: Operation | None, now: datetime
) -> list[Attention]:
    if instance.state != InstanceState.ACTIVE or running is not None:
        return []
    name, address = instance.name, f"/instances/{instance.name}"
    if not points:
        return [Attention(severity="red", text=f"{name} has no backup.", address=address, action="Back up")]
    found = []
    if now - points[0].at > instance.objectives.oldest_backup:
        text = f"The last backup of {name} is {ago(points[0].at, now)}; it may be {duration(instance.objectives.oldest_backup)} old."
        found.append(Attention(severity="orange", text=text, address=address, action="Back up"))
    if last_proven is None:
        found.append(Attention(severity="yellow", text=f"No backup of {name} was ever restored.", address=address, action="Prove it"))
    elif last_proven.proven_at is not None and now - last_proven.proven_at > OLD_PROOF:
        found.append(Attention(severity="yellow", text=f"The last proof of {name} is a month old.", address=address, action="Prove it"))
    took, promised = last_proven.measured_rto if last_proven else None, instance.objectives.rto
    if took is not None and promised is not None and instance.objectives.is_too_long(took):
        text = f"Bringing {name} back took {duration(took)} when it was tried last; {duration(promised)} is promised."
        found.append(Attention(severity="orange", text=text, address="/drills", action="See the drills"))
    return found
