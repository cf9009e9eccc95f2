"""Everything that needs attention on this appliance: what is in sight, and what somebody has snoozed."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from appliance.domain.snooze import Snooze, check_length
from appliance.errors import NotFound
from appliance.web.access import Principal
from appliance.web.attention import Attention, attention_of_pause, worst_first
from appliance.web.languages import gettext
from appliance.web.machines import attention_of_hosts
from appliance.web.summaries import attention_of_all
from appliance.wiring import Appliance


@dataclass(frozen=True, kw_only=True)
class Looked:
    """What is to be looked at, the worst first; and what is snoozed, with until when."""

    awake: Sequence[Attention]
    asleep: Sequence[tuple[Attention, Snooze]]

    @property
    def everything(self) -> list[tuple[Attention, Snooze | None]]:
        """In sight first."""
        return [*((item, None) for item in self.awake), *self.asleep]


def look_at(appliance: Appliance, of_crms: Iterable[Sequence[Attention]], now: datetime) -> Looked:
    """Of what needs attention of the CRMs, and of every host, what is in sight."""
    store = appliance.store
    of_hosts = attention_of_hosts(store, now)
    of_all = attention_of_pause(store.schedules.all_paused(now), now)
    found = worst_first([*(item for of_one in of_crms for item in of_one), *of_hosts, *of_all])
    lasting = store.snoozes.lasting(now)
    return Looked(
        awake=[item for item in found if item.key not in lasting],
        asleep=[(item, lasting[item.key]) for item in found if item.key in lasting],
    )


def look(appliance: Appliance, now: datetime) -> Looked:
    """What needs attention at all."""
    return look_at(appliance, attention_of_all(appliance, now).values(), now)


def snooze(appliance: Appliance, principal: Principal, key: str, length: timedelta, now: datetime) -> None:
    """Put something out of sight. Raises Forbidden, NotFound for what does not need attention now, and InvalidRequest."""
    principal.demand("snooze")
    snooze_as(appliance, principal.name, key, length, now)


def snooze_as(appliance: Appliance, name: str, key: str, length: timedelta, now: datetime) -> None:
    """The same of somebody who may. Raises NotFound and InvalidRequest."""
    item = next((item for item, _ in look(appliance, now).everything if item.key == key), None)
    if item is None:
        raise NotFound(gettext("This needs no attention any more. Nothing was changed."))
    check_length(length, item.severity)
    appliance.store.snoozes.put(Snooze(key=key, until=now + length, by=name, at=now), subject=item.subject)


def wake(appliance: Appliance, principal: Principal, key: str, now: datetime) -> None:
    """Have something in sight again. Raises Forbidden and NotFound."""
    principal.demand("snooze")
    appliance.store.snoozes.end(key, by=principal.name, now=now)
