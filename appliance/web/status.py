"""What the status page tells the users of CRMs: no cause, no release, no name of a host."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from appliance.domain.host import FLEET
from appliance.domain.instance import Instance
from appliance.domain.notice import Notice
from appliance.domain.window import Occurrence
from appliance.store import Store
from appliance.web.uptimes import MOST_OUTAGES, SHOWN_DAYS, DayBar, uptimes_of
from appliance.web.watching import UNSEEN, Health, read_sightings
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


def statuses(appliance: Appliance, now: datetime) -> list[PublicStatus]:
    """Every CRM that is published, by name."""
    public = [instance for instance in appliance.store.instances.list() if instance.is_public]
    uptimes = {one.name: one for one in uptimes_of(appliance.settings, [each.name for each in public], now=now, outages=MOST_OUTAGES)}
    sightings = read_sightings(appliance.settings.ledger_file, now)
    since = now - timedelta(days=SHOWN_DAYS)
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
                notices=appliance.store.notices.list(instance.name, since=since),
                planned=planned(appliance.store, instance, now),
            )
        )
    return found


def planned(store: Store, instance: Instance, now: datetime) -> list[Occurrence]:
    """The next windows in which it may be maintained by itself."""
    ours = [
        one for one in store.schedules.list() if one.subject in (instance.name, FLEET) and one.kind.endswith(MAINTAINING) and not one.paused
    ]
    windows = [coming for schedule in ours if (coming := schedule.window.next(now)) is not None and coming.begins <= now + PLANNED_WITHIN]
    return sorted(windows, key=lambda window: window.begins)[:SHOWN_PLANNED]
