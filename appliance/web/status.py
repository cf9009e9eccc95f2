"""What the status page tells the users of CRMs: no cause, no release, no name of a host."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from appliance.domain.closure import Closure
from appliance.domain.host import FLEET
from appliance.domain.instance import Instance
from appliance.domain.notice import Notice
from appliance.domain.schedule import Schedule
from appliance.domain.window import Occurrence
from appliance.operations.watching import UNSEEN, Health, read_sightings
from appliance.web.uptimes import MOST_OUTAGES, SHOWN_DAYS, DayBar, uptimes_of
from appliance.wiring import Appliance
from monitoring.ledger import Outage

PLANNED_WITHIN = timedelta(days=14)
SHOWN_PLANNED = 3
MAINTAINING = ("patch",)


@dataclass(frozen=True, kw_only=True)
class PublicStatus:
    """One CRM as its users see it. `uptime` is a text, the share of the last ninety days as far as it was seen."""

    name: str
    url: str
    health: Health
    uptime: str
    days: Sequence[DayBar]
    outages: Sequence[Outage]
    notices: Sequence[Notice]
    planned: Sequence[Occurrence]
    closed: Closure | None


def published(appliance: Appliance) -> list[str]:
    """The names of the CRMs that are shown."""
    return [instance.name for instance in appliance.store.instances.public()]


def statuses(appliance: Appliance, names: Collection[str], now: datetime) -> list[PublicStatus]:
    """Those of these CRMs that are published, by name."""
    public = [instance for instance in appliance.store.instances.some(names) if instance.is_public]
    schedules = appliance.store.schedules.of([FLEET, *(each.name for each in public)])
    uptimes = {one.name: one for one in uptimes_of(appliance.settings, [each.name for each in public], now=now, outages=MOST_OUTAGES)}
    sightings = read_sightings(appliance.settings.ledger_file, now, [each.name for each in public])
    since = now - timedelta(days=SHOWN_DAYS)
    notices = appliance.store.notices.of_each([each.name for each in public], since=since)
    found = []
    for instance in public:
        seen = uptimes.get(instance.name)
        outages = [one for one in seen.outages if one.ended_at is None or one.ended_at >= since] if seen else []
        found.append(
            PublicStatus(
                name=instance.name,
                url=instance.url,
                health=sightings.get(instance.name, UNSEEN).health,
                uptime=seen.shares[-1].observed if seen else "–",
                days=seen.days if seen else [],
                outages=outages,
                notices=notices.get(instance.name, []),
                planned=planned(schedules, instance, now),
                closed=instance.closed,
            )
        )
    return found


def planned(schedules: Sequence[Schedule], instance: Instance, now: datetime) -> list[Occurrence]:
    """The next windows in which it may be maintained by itself."""
    ours = [one for one in schedules if one.subject in (instance.name, FLEET) and one.kind.endswith(MAINTAINING) and not one.paused]
    windows = [coming for schedule in ours if (coming := schedule.window.next(now)) is not None and coming.begins <= now + PLANNED_WITHIN]
    return sorted(windows, key=lambda window: window.begins)[:SHOWN_PLANNED]
