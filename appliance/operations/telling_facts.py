"""Tell the monitor how things are on the hosts: what waits to be installed, and up to when every change was shipped."""

import json
from collections.abc import Mapping
from datetime import datetime

from appliance.domain.host import host_of_subject
from appliance.domain.instance import Instance
from appliance.domain.pending import Pending
from appliance.errors import ApplianceError
from appliance.hosts.reach import ask_script
from appliance.operations.machines import machine_of
from appliance.operations.steps.repositories import repository_name
from appliance.wiring import Appliance
from monitoring.facts import LOG_REPLAYED, LOG_SHIPPED, REBOOT_SINCE, SECURITY_SINCE, UPDATES, Facts
from monitoring.ledger import Ledger

OWN_OUTLET, OUTLET_PREFIX = "log", "log-"
"""How a spool calls what it ships to its host's own repository, and what comes before the name of one elsewhere."""
Told = dict[tuple[str, str], float]


def tell_updates(appliance: Appliance) -> None:
    """What the hosts answered last. One that could not be asked keeps what was known of it: that is not nothing."""
    asked = {host: pending for pending in appliance.store.pending.list() if (host := host_of_subject(pending.subject)) is not None}
    appliance.settings.ledger_file.parent.mkdir(parents=True, exist_ok=True)
    with Ledger(appliance.settings.ledger_file) as ledger:
        for name, facts in updates_of(asked, ledger.facts()).items():
            ledger.tell_facts(name, facts)


def updates_of(asked: Mapping[str, Pending], before: Facts) -> dict[str, Told]:
    """The facts of all hosts; what waits has waited since it was seen first."""
    told: dict[str, Told] = {name: _kept(before.get(name, {}), asked) for name in (UPDATES, SECURITY_SINCE, REBOOT_SINCE)}
    for host, pending in asked.items():
        if pending.problems:
            continue
        security = len(pending.security_packages)
        told[UPDATES] |= {(host, "security"): float(security), (host, "other"): float(len(pending.packages) - security)}
        for name, waits in ((SECURITY_SINCE, security > 0), (REBOOT_SINCE, bool(pending.reboot_required))):
            since = before.get(name, {}).get((host, ""), 0.0) or pending.asked_at.timestamp()
            told[name][host, ""] = since if waits else 0.0
    return told


def _kept(facts: Mapping[tuple[str, str], float], asked: Mapping[str, Pending]) -> Told:
    return {key: value for key, value in facts.items() if key[0] in asked}


def tell_shipped(appliance: Appliance) -> None:
    """Up to when the log of each CRM that keeps every change lies in each repository, and how much of it a restore would replay.

    What cannot be asked stays as it was told.
    """
    archived = [instance for instance in appliance.store.instances.list() if instance.archive is not None]
    appliance.settings.ledger_file.parent.mkdir(parents=True, exist_ok=True)
    with Ledger(appliance.settings.ledger_file) as ledger:
        before = {name: ledger.facts().get(name, {}) for name in (LOG_SHIPPED, LOG_REPLAYED)}
        told: dict[str, Told] = {name: {} for name in before}
        for instance in archived:
            seen = _seen_or(appliance, instance, before)
            told = {name: told[name] | seen[name] for name in told}
        for name in told:
            if told[name] or before[name]:
                ledger.tell_facts(name, told[name])


def _seen_or(appliance: Appliance, instance: Instance, before: Mapping[str, Told]) -> dict[str, Told]:
    try:
        return shipped_of(appliance, instance)
    except (ApplianceError, ValueError, OSError):
        return {name: {key: value for key, value in facts.items() if key[0] == instance.name} for name, facts in before.items()}


def shipped_of(appliance: Appliance, instance: Instance) -> dict[str, Told]:
    """Of one CRM; up to 0 where nothing was shipped yet. Raises ApplianceError, and ValueError for nonsense."""
    archive = instance.archive
    if archive is None:
        return {LOG_SHIPPED: {}, LOG_REPLAYED: {}}
    machine = machine_of(appliance, instance.host, channel="logs")
    seen = json.loads(ask_script(machine.reach, "see_shipped", archive.spool).stdout or "{}")
    noted = seen.get("shipped", {})
    own = repository_name(instance.host)
    outlets = {own: OWN_OUTLET, **{name: f"{OUTLET_PREFIX}{name}" for name in archive.relays}}
    shipped = {
        (instance.name, name): datetime.fromisoformat(noted[outlet]).timestamp() if outlet in noted else 0.0
        for name, outlet in outlets.items()
    }
    return {LOG_SHIPPED: shipped, LOG_REPLAYED: {(instance.name, ""): float(seen.get("replayed_bytes", 0))}}
