"""Metrics of what the worker told of how things are now."""

from collections.abc import Collection, Iterator, Mapping
from typing import TypeVar

from monitoring.exporter.families import Family, Key, counter, gauge
from monitoring.facts import CHANNEL_FAILS, LOG_SHIPPED, NOTIFICATIONS, REBOOT_SINCE, SECURITY_SINCE, UPDATES, Facts

KeyT = TypeVar("KeyT", bound=tuple[str, ...])


def collect_facts(facts: Facts, crms: Collection[str]) -> Iterator[Family]:
    """Of hosts and channels all that was told, of CRMs only what belongs to those that are configured."""
    shipped = {key: value for key, value in facts.get(LOG_SHIPPED, {}).items() if key[0] in crms}
    text = "Up to when every change of the CRM's database lies in the repository."
    yield _gauge("appliance_log_shipped_timestamp_seconds", text, ("crm", "repository"), shipped)
    yield _gauge("appliance_updates_pending", "Debian packages that wait.", ("host", "class"), facts.get(UPDATES, {}))
    text = "Since when security updates wait; 0 when none does."
    yield _gauge("appliance_updates_security_since_timestamp_seconds", text, ("host",), _of_hosts(facts, SECURITY_SINCE))
    text = "Since when a restart is required; 0 when none is."
    yield _gauge("appliance_reboot_required_since_timestamp_seconds", text, ("host",), _of_hosts(facts, REBOOT_SINCE))
    sent = counter("appliance_notifications", "Notifications tried.", ("channel", "result"))
    for key, value in facts.get(NOTIFICATIONS, {}).items():
        sent.add(key, value)
    yield sent
    failing = {(channel,): value for (channel, _), value in facts.get(CHANNEL_FAILS, {}).items()}
    yield _gauge("appliance_notification_failing", "Whether the channel's last attempt failed.", ("channel",), failing)


def _of_hosts(facts: Facts, name: str) -> dict[Key, float]:
    return {(host,): value for (host, _), value in facts.get(name, {}).items()}


def _gauge(name: str, text: str, labels: Key, values: Mapping[KeyT, float]) -> Family:
    family = gauge(name, text, labels)
    for key, value in values.items():
        family.add(key, value)
    return family
