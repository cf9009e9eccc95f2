"""A CRM at a glance, as the overview and its own page say it."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime

from appliance.domain.instance import Instance, InstanceGlance, InstanceState, PointGlance
from appliance.domain.operation import Operation
from appliance.operations.alerting import AlertBook, read_alerts
from appliance.operations.watching import UNSEEN, Health, Sighting, read_sightings
from appliance.web.attention import (
    Attention,
    attention_of_backups,
    attention_of_closure,
    attention_of_health,
    attention_of_operation,
    attention_of_use,
)
from appliance.web.uses import RULES
from appliance.wiring import Appliance


@dataclass(frozen=True, kw_only=True)
class Summary:
    """A CRM at a glance."""

    instance: Instance
    last_point: PointGlance | None
    last_proven: PointGlance | None
    running: Operation | None
    sighting: Sighting
    host: str | None
    """Named where there is more than one."""
    attention: tuple[Attention, ...]

    @property
    def state(self) -> str:
        """What the pill says: how the CRM was found, or where it stands in its life while nobody looks."""
        is_seen = self.instance.state == InstanceState.ACTIVE and self.sighting.health != Health.UNKNOWN
        return self.sighting.health.value if is_seen else self.instance.state.value


@dataclass(frozen=True, kw_only=True)
class _Known:
    """What is read once for all CRMs that are asked for, by their names."""

    points: Mapping[str, PointGlance]
    proven: Mapping[str, PointGlance]
    operations: Mapping[str, Operation]
    sightings: Mapping[str, Sighting]
    book: AlertBook
    unused: Collection[str]
    """Those that an alert about their use fires of."""
    names_hosts: bool


def attention_of_all(appliance: Appliance, now: datetime) -> dict[str, tuple[Attention, ...]]:
    """What needs attention of each CRM, by its name; empty for one that needs none."""
    return look_over(appliance, now, shown=0)[0]


def look_over(appliance: Appliance, now: datetime, *, shown: int) -> tuple[dict[str, tuple[Attention, ...]], list[Summary]]:
    """What needs attention of each CRM, by its name, and so many CRMs at a glance: those that need attention come first."""
    known = _known(appliance, None, now)
    attention = {each.name: _attention(each, known, now) for each in appliance.store.instances.glances()}
    first = sorted(attention, key=lambda name: not attention[name])[:shown]
    instances = {each.name: each for each in appliance.store.instances.some(first)}
    return attention, [_summarize(instances[name], known, now) for name in first if name in instances]


def summarize_some(appliance: Appliance, names: Collection[str], now: datetime) -> list[Summary]:
    """These CRMs at a glance, by name."""
    known = _known(appliance, names, now)
    return [_summarize(each, known, now) for each in appliance.store.instances.some(names)]


def summarize(appliance: Appliance, instance: Instance, now: datetime) -> Summary:
    """One CRM at a glance."""
    return _summarize(instance, _known(appliance, [instance.name], now), now)


def _known(appliance: Appliance, only: Collection[str] | None, now: datetime) -> _Known:
    store, book = appliance.store, read_alerts(appliance)
    return _Known(
        points=store.points.newest(only),
        proven=store.points.newest_proven(only),
        operations=store.operations.unsettled(only),
        sightings=read_sightings(appliance.settings.ledger_file, now, only),
        book=book,
        unused={str(alert.labels.get("crm")) for alert in book.standing if alert.rule in RULES},
        names_hosts=store.hosts.count() > 1,
    )


def _attention(instance: Instance | InstanceGlance, known: _Known, now: datetime) -> tuple[Attention, ...]:
    name, last = instance.name, known.operations.get(instance.name)
    running = last if last and not last.status.is_final else None
    return (
        *attention_of_health(instance, known.sightings.get(name, UNSEEN)),
        *attention_of_operation(last),
        *attention_of_closure(instance, now),
        *attention_of_backups(instance, known.points.get(name), known.proven.get(name), running, now),
        *(attention_of_use(instance, known.book) if name in known.unused else ()),
    )


def _summarize(instance: Instance, known: _Known, now: datetime) -> Summary:
    name, last = instance.name, known.operations.get(instance.name)
    return Summary(
        instance=instance,
        last_point=known.points.get(name),
        last_proven=known.proven.get(name),
        running=last if last and not last.status.is_final else None,
        sighting=known.sightings.get(name, UNSEEN),
        host=instance.host if known.names_hosts else None,
        attention=_attention(instance, known, now),
    )
