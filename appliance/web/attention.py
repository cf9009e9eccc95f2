"""What an administrator is asked to look at: how bad it is, a sentence, and what mends it or leads there."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from appliance.domain.instance import Instance, InstanceGlance, InstanceState, PointGlance
from appliance.domain.operation import Operation, OperationStatus
from appliance.domain.schedule import AllPaused
from appliance.operations.alerting import AlertBook
from appliance.operations.watching import Health, Sighting
from appliance.web.formats import ago, duration, kind_title, subject_title, word
from appliance.web.languages import gettext
from appliance.web.uses import alerting

OLD_PROOF = timedelta(days=30)
LONG_CLOSED = timedelta(hours=4)
UNSUCCESSFUL = (OperationStatus.FAILED, OperationStatus.ROLLED_BACK, OperationStatus.NEEDS_ATTENTION)
SEVERITIES = ("red", "orange", "yellow")
"""The worst first."""
AnyInstance = Instance | InstanceGlance


@dataclass(frozen=True, kw_only=True)
class Attention:
    """One thing to look at. `key` names the cause: the same one later has the same key, and a worse one another.

    `mends` is the kind of operation that mends it at once, on `subject`; without one, `address` is the page that leads there.
    """

    key: str
    subject: str
    severity: str
    text: str
    address: str
    action: str
    mends: str = ""


def worst_first(found: Iterable[Attention]) -> list[Attention]:
    """In the order in which they are to be looked at."""
    return sorted(found, key=lambda item: SEVERITIES.index(item.severity))


def attention_of_health(instance: AnyInstance, sighting: Sighting) -> list[Attention]:
    """What to look at when a CRM does not serve as it should."""
    if instance.state != InstanceState.ACTIVE or sighting.health not in (Health.DOWN, Health.DEGRADED):
        return []
    severity = "red" if sighting.health == Health.DOWN else "orange"
    text = (
        gettext("%(name)s is down", name=instance.name)
        if sighting.health == Health.DOWN
        else gettext("%(name)s is degraded", name=instance.name)
    )
    text = f"{text}: {sighting.reason}." if sighting.reason else f"{text}."
    return [_about(instance, sighting.health.value, severity=severity, text=text, action=gettext("Look"))]


def attention_of_operation(last: Operation | None) -> list[Attention]:
    """What to look at when the last operation of an instance or a host did not succeed."""
    if last is None or last.status not in UNSUCCESSFUL:
        return []
    needs_hands = last.status == OperationStatus.NEEDS_ATTENTION
    verdict = gettext("needs you") if needs_hands else word(last.status).lower()
    text = gettext(
        "%(kind)s of %(subject)s: %(verdict)s.", kind=kind_title(last.kind), subject=subject_title(last.instance), verdict=verdict
    )
    severity = "red" if needs_hands else "orange"
    key, address = f"operation.{last.id}", f"/operations/{last.id}"
    return [Attention(key=key, subject=last.instance, severity=severity, text=text, address=address, action=gettext("See why"))]


def attention_of_backups(
    instance: AnyInstance, newest: PointGlance | None, proven: PointGlance | None, running: Operation | None, now: datetime
) -> list[Attention]:
    """What to look at when a CRM's backups, or their proofs, are missing, old or slow."""
    if instance.state != InstanceState.ACTIVE or running is not None:
        return []
    if newest is None:
        text = gettext("%(name)s has no backup.", name=instance.name)
        return [_about(instance, "no-backup", severity="red", text=text, action=gettext("Back up"), mends="backup")]
    return [*_of_age(instance, newest, now), *_of_proof(instance, proven, now), *_of_recovery(instance, proven)]


def _of_age(instance: AnyInstance, newest: PointGlance, now: datetime) -> list[Attention]:
    if now - newest.at <= instance.objectives.oldest_backup:
        return []
    text = gettext(
        "The last backup of %(name)s is %(ago)s; it may be %(length)s old.",
        name=instance.name,
        ago=ago(newest.at, now),
        length=duration(instance.objectives.oldest_backup),
    )
    return [_about(instance, "old-backup", severity="orange", text=text, action=gettext("Back up"), mends="backup")]


def _of_proof(instance: AnyInstance, proven: PointGlance | None, now: datetime) -> list[Attention]:
    if proven is None:
        text = gettext("No backup of %(name)s was ever restored.", name=instance.name)
        return [_about(instance, "unproven", severity="yellow", text=text, action=gettext("Prove it"), mends="drill")]
    if proven.proven_at is None or now - proven.proven_at <= OLD_PROOF:
        return []
    text = gettext("The last proof of %(name)s is a month old.", name=instance.name)
    return [_about(instance, "old-proof", severity="yellow", text=text, action=gettext("Prove it"), mends="drill")]


def _of_recovery(instance: AnyInstance, proven: PointGlance | None) -> list[Attention]:
    took, promised = proven.measured_rto if proven else None, instance.objectives.rto
    if took is None or promised is None or not instance.objectives.is_too_long(took):
        return []
    text = gettext(
        "Bringing %(name)s back took %(took)s when it was tried last; %(promised)s is promised.",
        name=instance.name,
        took=duration(took),
        promised=duration(promised),
    )
    return [_about(instance, "slow-restore", severity="orange", text=text, address="/drills", action=gettext("See the drills"))]


def attention_of_closure(instance: AnyInstance, now: datetime) -> list[Attention]:
    """What to look at when a CRM was closed to its users so long ago that it may have been forgotten."""
    closed = instance.closed
    if closed is None or now - closed.at < LONG_CLOSED:
        return []
    text = gettext("%(name)s is closed to its users by %(who)s (%(ago)s).", name=instance.name, who=closed.by, ago=ago(closed.at, now))
    return [_about(instance, "closed", severity="orange", text=text, action=gettext("Look"))]


def attention_of_pause(pause: AllPaused | None, now: datetime) -> list[Attention]:
    """What to look at while nothing is done by itself: no backup, no drill, no patch."""
    if pause is None:
        return []
    text = gettext("All schedules are paused by %(who)s (%(ago)s).", who=pause.by, ago=ago(pause.since, now))
    told = [text, f"{pause.reason.rstrip('.')}." if pause.reason else ""]
    if pause.until:
        told.append(gettext("They go on %(when)s.", when=ago(pause.until, now)))
    return [
        Attention(
            key=f"schedules.paused.{int(pause.since.timestamp())}",
            subject="schedules",
            severity="yellow" if pause.until else "orange",
            text=" ".join(filter(None, told)),
            address="/updates",
            action=gettext("Look"),
        )
    ]


def attention_of_use(instance: AnyInstance, book: AlertBook) -> list[Attention]:
    """What to look at when people work with a CRM no longer."""
    return [
        _about(
            instance,
            f"alert.{one.rule}.{one.labels.get('department', '')}",
            severity="yellow",
            text=f"{one.summary}.",
            address="/monitoring",
            action=gettext("Look"),
        )
        for one in alerting(book, instance.name)
    ]


def _about(instance: AnyInstance, cause: str, *, severity: str, text: str, action: str, address: str = "", mends: str = "") -> Attention:
    return Attention(
        key=f"{instance.name}.{cause}",
        subject=instance.name,
        severity=severity,
        text=text,
        address=address or f"/instances/{instance.name}",
        action=action,
        mends=mends,
    )
