"""What the page Monitoring shows of how much people work with each CRM."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime

from appliance.domain.adoption import NO_DEPARTMENT, Adoption
from appliance.domain.adoption_told import SHOWN_DAYS, shown_days, untouched_told
from appliance.operations.alerting import AlertBook, ShownAlert
from appliance.web.charts import Bar, bars
from appliance.web.formats import count, day, per_cent
from appliance.web.languages import gettext, ngettext

STOPPED = "DepartmentStoppedUpdating"
RULES = ("NobodyUpdates", STOPPED)
"""The alert rules about adoption."""


@dataclass(frozen=True, kw_only=True)
class Department:
    """One department's line: people by day, and whether the alert rule says that it has stopped."""

    name: str
    bars: Sequence[Bar]
    told: str
    has_stopped: bool


@dataclass(frozen=True, kw_only=True)
class Use:
    """One CRM's part; without `is_known` nobody has ever answered, and there is nothing but the problem."""

    name: str
    problem: str
    asked_at: datetime | None
    records: str
    untouched: str
    newest_change: datetime | None
    departments: Sequence[Department]

    @property
    def is_known(self) -> bool:
        """Whether there are figures."""
        return self.asked_at is not None


def uses_of(adoptions: Sequence[Adoption], book: AlertBook, now: datetime) -> dict[str, Use]:
    """By CRM, with what the alert rules say of them."""
    return {one.instance: _use(one, alerting(book, one.instance), now) for one in adoptions}


def alerting(book: AlertBook, crm: str) -> list[ShownAlert]:
    """What fires about the adoption of a CRM."""
    return [one for one in book.standing if one.rule in RULES and one.state == "firing" and one.labels.get("crm") == crm]


def _use(adoption: Adoption, alerts: Collection[ShownAlert], now: datetime) -> Use:
    stopped = {alert.labels.get("department") for alert in alerts if alert.rule == STOPPED}
    shown = [name for name in (*adoption.departments, NO_DEPARTMENT) if name or adoption.last_active(name)]
    highest = max((people for date_ in shown_days(now) for people in adoption.days.get(date_, {}).values()), default=0)
    return Use(
        name=adoption.instance,
        problem=adoption.problem,
        asked_at=adoption.asked_at,
        records=count(adoption.records),
        untouched=per_cent(untouched_told(adoption).removesuffix(" %")),
        newest_change=adoption.newest_change,
        departments=[
            Department(
                name=name or gettext("Without a department"),
                bars=_bars(adoption.days, name, highest, now),
                told=_told(adoption, name, now),
                has_stopped=name in stopped,
            )
            for name in shown
        ],
    )


def _bars(days: Mapping[date, Mapping[str, int]], department: str, highest: int, now: datetime) -> list[Bar]:
    """All departments of a CRM to one scale: the highest bar of them fills its place."""
    counts = [(date_, days.get(date_, {}).get(department, 0)) for date_ in shown_days(now)]
    values = [(float(people), f"{day(date_)}: {_active(people)}", "up" if people else "unseen") for date_, people in counts]
    return bars([*values, (float(highest), "", "")])[:SHOWN_DAYS]


def _active(people: int) -> str:
    return ngettext("%(num)s active", "%(num)s active", people)


def _told(adoption: Adoption, department: str, now: datetime) -> str:
    """When somebody was active last, and how many people at most on a day of those that are shown."""
    last = adoption.last_active(department)
    if last is None:
        return gettext("nobody was seen to change anything")
    most = max(adoption.active_on(date_, department) for date_ in shown_days(now))
    told = gettext("last on %(day)s", day=day(last))
    return ", ".join([told, ngettext("up to %(num)s a day", "up to %(num)s a day", most)]) if most else told
