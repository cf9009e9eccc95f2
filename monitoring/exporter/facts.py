"""Metrics of what the worker told of how things are now."""

from collections.abc import Collection, Iterator, Mapping
from typing import TypeVar

from monitoring.exporter.families import Family, Key, counter, gauge
from monitoring.facts import (
    ACTIVE_USERS,
    ADOPTION,
    CHANNEL_FAILS,
    LAST_ACTIVE,
    LOG_REPLAYED,
    LOG_SHIPPED,
    NOTIFICATIONS,
    REBOOT_SINCE,
    SECURITY_SINCE,
    UPDATES,
    Facts,
)

KeyT = TypeVar("KeyT", bound=tuple[str, ...])
ADOPTION_FIGURES = (
    ("records", "appliance_adoption_records", "Records that people keep in the CRM."),
    ("untouched_ratio", "appliance_adoption_untouched_ratio", "Share of the records that nobody has changed for 90 days."),
    ("newest_change", "appliance_adoption_newest_change_timestamp_seconds", "When a record was changed last; 0 before the first change."),
    ("asked_at", "appliance_adoption_asked_timestamp_seconds", "When the CRM's database has answered these questions last."),
)


def collect_facts(facts: Facts, crms: Collection[str]) -> Iterator[Family]:
    """Of hosts and channels all that was told, of CRMs only what belongs to those that are configured."""
    shipped = {key: value for key, value in facts.get(LOG_SHIPPED, {}).items() if key[0] in crms}
    text = "Up to when every change of the CRM's database lies in the repository."
    yield _gauge("appliance_log_shipped_timestamp_seconds", text, ("crm", "repository"), shipped)
    replayed = {key[:1]: value for key, value in facts.get(LOG_REPLAYED, {}).items() if key[0] in crms}
    text = "How much of the log going back to now would replay onto the newest base."
    yield _gauge("appliance_log_replayed_bytes", text, ("crm",), replayed)
    yield _gauge("appliance_updates_pending", "Debian packages that wait.", ("host", "class"), facts.get(UPDATES, {}))
    text = "Since when security updates wait; 0 when none does."
    yield _gauge("appliance_updates_security_since_timestamp_seconds", text, ("host",), _of_hosts(facts, SECURITY_SINCE))
    text = "Since when a restart is required; 0 when none is."
    yield _gauge("appliance_reboot_required_since_timestamp_seconds", text, ("host",), _of_hosts(facts, REBOOT_SINCE))
    yield from _adoption(facts, crms)
    sent = counter("appliance_notifications", "Notifications tried.", ("channel", "result"))
    for key, value in facts.get(NOTIFICATIONS, {}).items():
        sent.add(key, value)
    yield sent
    failing = {(channel,): value for (channel, _), value in facts.get(CHANNEL_FAILS, {}).items()}
    yield _gauge("appliance_notification_failing", "Whether the channel's last attempt failed.", ("channel",), failing)


def _adoption(facts: Facts, crms: Collection[str]) -> Iterator[Family]:
    """How much people work with the CRMs; nobody is named."""
    told = facts.get(ADOPTION, {})
    for figure, name, text in ADOPTION_FIGURES:
        yield _gauge(name, text, ("crm",), {(crm,): value for (crm, of), value in told.items() if of == figure and crm in crms})
    for fact, name, text in (
        (ACTIVE_USERS, "appliance_adoption_active_users", "People who changed a record on the last whole day (UTC)."),
        (LAST_ACTIVE, "appliance_adoption_last_active_timestamp_seconds", "When the department's last day with a change began; 0 unknown."),
    ):
        yield _gauge(name, text, ("crm", "department"), {key: value for key, value in facts.get(fact, {}).items() if key[0] in crms})


def _of_hosts(facts: Facts, name: str) -> dict[Key, float]:
    return {(host,): value for (host, _), value in facts.get(name, {}).items()}


def _gauge(name: str, text: str, labels: Key, values: Mapping[KeyT, float]) -> Family:
    family = gauge(name, text, labels)
    for key, value in values.items():
        family.add(key, value)
    return family
