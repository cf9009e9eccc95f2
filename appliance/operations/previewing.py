"""What retention would give up, were it now; nothing is changed."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from appliance.domain.instance import RecoveryPoint
from appliance.domain.retention import Retention, reasons_to_keep, to_give_up
from appliance.errors import Conflict
from appliance.wiring import Appliance


@dataclass(frozen=True, kw_only=True)
class Previewed:
    """A recovery point, and why it is kept; it would be given up where there is no reason."""

    point: RecoveryPoint
    reasons: Sequence[str]


@dataclass(frozen=True, kw_only=True)
class Preview:
    """Every recovery point of a CRM, newest first; `refused` says why none of them would be given up all the same."""

    points: Sequence[Previewed]
    refused: str


def preview_retention(appliance: Appliance, instance: str, keep: Mapping[str, int], now: datetime) -> Preview:
    """By a rule as a backup is given it. Raises InvalidRequest for one that keeps nothing, NotFound."""
    points, retention = appliance.store.points.list(instance), Retention(**keep)
    if not points:
        appliance.store.instances.get(instance)
    taken = appliance.store.operations.begun_at(instance=instance, kind="backup")
    try:
        to_give_up(points, retention, UTC, now=now, taken=taken)
    except Conflict as refusal:
        refused = str(refusal)
    else:
        refused = ""
    reasons = reasons_to_keep(points, retention, UTC)
    return Preview(points=[Previewed(point=point, reasons=reasons[point.id]) for point in points], refused=refused)
