"""The weekly digest: how each CRM served, what could be brought back, and what waits, in one message."""

import sqlite3
from collections.abc import Collection, Iterable, Sequence
from datetime import UTC, datetime, timedelta

from appliance.domain.adoption_told import change_told, untouched_told
from appliance.domain.host import host_of_subject, title_of
from appliance.domain.instance import Instance, InstanceState
from appliance.domain.measures import duration, percent
from appliance.domain.operation import OperationStatus
from appliance.operations.alerting import ShownAlert, read_alerts
from appliance.operations.messages import Message
from appliance.wiring import Appliance
from monitoring.clock import moment_at
from monitoring.ledger import Ledger, Outage
from monitoring.schema import LedgerTooNew

WEEK = timedelta(days=7)
SHOWN_OUTAGES = 3
NOT_SUCCEEDED = (OperationStatus.FAILED, OperationStatus.ROLLED_BACK, OperationStatus.NEEDS_ATTENTION)


def digest_of(appliance: Appliance, now: datetime, *, crms: Collection[str] = ()) -> Message:
    """Of the last seven days; of all CRMs and hosts, or of some CRMs. What is not known is said, never left out."""
    instances = [
        one for one in appliance.store.instances.list() if one.state is not InstanceState.SCRATCH and (not crms or one.name in crms)
    ]
    firing = [alert for alert in read_alerts(appliance).standing if alert.state == "firing"]
    parts = [_of_crm(appliance, one, firing, now) for one in instances] or ["There is no CRM."]
    if not crms:
        parts += _of_hosts(appliance)
    if domain := appliance.settings.panel_domain:
        parts.append(f"https://{domain}/monitoring")
    title = f"[weekly] {_counted(len(instances), 'CRM')} until {now.astimezone(UTC):%Y-%m-%d}: {_verdict(instances, firing)}"
    return Message(title=title, body="\n\n".join(parts), is_good=True)


def _verdict(instances: Sequence[Instance], firing: Iterable[ShownAlert]) -> str:
    names = {one.name for one in instances}
    of_these = [alert for alert in firing if alert.labels.get("crm") in names]
    return f"{_counted(len(of_these), 'alert')} now" if of_these else "nothing alerts now"


def _of_crm(appliance: Appliance, instance: Instance, firing: Iterable[ShownAlert], now: datetime) -> str:
    lines = [
        *_served(appliance, instance.name, now),
        *_kept(appliance, instance, now),
        f"Pending: {_pending(appliance, instance.name)}",
        *_used(appliance, instance, now),
        *(f"Alerts now: {alert.summary}" for alert in firing if alert.labels.get("crm") == instance.name),
    ]
    return "\n".join([instance.name, *(f"- {line}" for line in lines)])


def _served(appliance: Appliance, name: str, now: datetime) -> list[str]:
    """As the monitor has seen it."""
    file = appliance.settings.ledger_file
    if not file.exists():
        return ["Uptime: not measured, the monitor has no ledger yet"]
    try:
        with Ledger(file) as ledger:
            spent = ledger.uptime(name, WEEK, moment_at(now))
            outages = [one for one in ledger.outages(name) if one.ended_at is None or one.ended_at > now - WEEK]
    except (sqlite3.Error, LedgerTooNew) as error:
        return [f"Uptime: not known ({error})"]
    shares = f"{percent(spent.observed_ratio)} as far as it was seen, {percent(spent.pessimistic_ratio)} at least"
    return [f"Uptime: {shares}; {percent(spent.coverage_ratio)} of the time was seen", f"Outages: {_outages(outages, spent.down_seconds)}"]


def _outages(outages: Sequence[Outage], down_seconds: float) -> str:
    if not outages:
        return "none that was seen"
    longest = sorted(outages, key=lambda one: one.length, reverse=True)[:SHOWN_OUTAGES]
    told = [f"{one.started_at.astimezone(UTC):%Y-%m-%d %H:%M} UTC for {duration(one.length)}" for one in longest]
    more = ", the longest" if len(outages) > SHOWN_OUTAGES else ""
    return f"{len(outages)}, {duration(timedelta(seconds=down_seconds))} together{more}: {'; '.join(told)}"


def _kept(appliance: Appliance, instance: Instance, now: datetime) -> list[str]:
    points = appliance.store.points.list(instance.name)
    recent = [point for point in points if point.at > now - WEEK]
    ended = appliance.store.operations.list(instance=instance.name, kind="backup", status=NOT_SUCCEEDED, limit=1000)
    failed = [one for one in ended if one.finished_at and one.finished_at > now - WEEK]
    newest = f", the newest of {_day(points[0].at)}" if points else ""
    proven = max((point for point in points if point.proven_at), key=lambda point: point.proven_at or point.at, default=None)
    proof = "never" if proven is None or proven.proven_at is None else _day(proven.proven_at)
    took = f", in {duration(proven.measured_rto)}" if proven and proven.measured_rto else ""
    return [f"Backups: {len(recent)}{newest}; {len(failed)} failed", f"Last proven restore: {proof}{took}"]


def _pending(appliance: Appliance, subject: str) -> str:
    found = appliance.store.pending.find(subject)
    return "not asked yet" if found is None else f"{found.summary()} (asked {_day(found.asked_at)})"


def _used(appliance: Appliance, instance: Instance, now: datetime) -> list[str]:
    """Nothing where it is not measured."""
    found = appliance.store.adoption.find(instance.name)
    if found is None or not instance.measures_adoption:
        return []
    if found.asked_at is None:
        return [f"Adoption: not known ({found.problem})"]
    first = (now - WEEK).astimezone(UTC).date()
    most = {name: max((found.active_on(day, name) for day in found.days if day > first), default=0) for name in found.departments}
    people = "; ".join(f"{name}: {f'up to {count} a day' if count else 'nobody this week'}" for name, count in most.items())
    figures = f"{found.records:,} records, {untouched_told(found)} untouched for 90 days, newest change {change_told(found)}"
    return [f"Adoption: {figures}{f'; {people}' if people else ''}"]


def _of_hosts(appliance: Appliance) -> list[str]:
    hosts = [one for one in appliance.store.pending.list() if host_of_subject(one.subject) is not None]
    return ["\n".join(f"{title_of(one.subject)}: {one.summary()}" for one in hosts)] if hosts else []


def _counted(count: int, what: str) -> str:
    return f"{count} {what}{'' if count == 1 else 's'}"


def _day(moment: datetime) -> str:
    return f"{moment.astimezone(UTC):%Y-%m-%d %H:%M} UTC"
