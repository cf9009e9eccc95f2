"""What the pages say of each host."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from appliance.domain.host import Host, HostState
from appliance.domain.instance import Instance
from appliance.domain.measures import size
from appliance.domain.operation import Operation
from appliance.hosts.host_keys import fingerprint
from appliance.store import Store
from appliance.web.summaries import UNSUCCESSFUL, Attention, attention_of_operation, instances_of

FRESH = timedelta(days=1)
"""What was seen longer ago asks nobody to do anything: it may have been done since."""


@dataclass(frozen=True, kw_only=True)
class HostSummary:
    """A host at a glance; what is not known of it is empty or None."""

    host: Host
    instances: tuple[Instance, ...]
    running: Operation | None
    last_operation: Operation | None

    @property
    def system(self) -> str:
        """Its operating system."""
        return str(self.host.facts.get("system", ""))

    @property
    def free_bytes(self) -> int | None:
        """Room on the fullest of the file systems that CRMs write to."""
        return min((disk["free_bytes"] for disk in self._disks.values()), default=None)

    @property
    def wants_reboot(self) -> bool:
        """Whether an update waits for the machine to be started anew."""
        return bool(self.host.facts.get("reboot_required"))

    @property
    def fingerprint(self) -> str | None:
        """Of the key that it is known by."""
        return fingerprint(self.host.host_key) if self.host.host_key else None

    @property
    def _disks(self) -> Mapping[str, Mapping[str, int]]:
        disks: Mapping[str, Mapping[str, int]] = self.host.facts.get("disks", {})
        return disks

    def plain_facts(self) -> list[tuple[str, str]]:
        """What was seen of it, in plain words."""
        facts = self.host.facts
        if not facts:
            return []
        known = {
            "System": self.system,
            "Name it gives itself": facts.get("hostname"),
            "Kernel": " ".join(str(facts[name]) for name in ("kernel", "architecture") if name in facts),
            "Processors": facts.get("cpus"),
            "Memory": _size_of(facts, "memory_bytes"),
            **{f"Disk {directory}": _room(disk) for directory, disk in self._disks.items()},
            "Security updates": _waiting(facts.get("security_updates")),
        }
        return [(title, str(value)) for title, value in known.items() if value]


def summarize_hosts(store: Store) -> list[HostSummary]:
    """Every host at a glance, by name."""
    instances = instances_of(store)
    return [_summarize(store, host, instances) for host in store.hosts.list()]


def summarize_host(store: Store, name: str) -> HostSummary:
    """One host at a glance. Raises NotFound."""
    return _summarize(store, store.hosts.get(name), instances_of(store))


def _summarize(store: Store, host: Host, instances: Sequence[Instance]) -> HostSummary:
    last = next(iter(store.operations.list(instance=host.subject, limit=1)), None)
    return HostSummary(
        host=host,
        instances=tuple(instance for instance in instances if instance.host == host.name),
        running=last if last and not last.status.is_final else None,
        last_operation=last,
    )


def attention_of_hosts(summaries: Sequence[HostSummary], now: datetime) -> list[Attention]:
    """What somebody should look at on managed hosts."""
    return [item for summary in summaries for item in _attention(summary, now)]


def _attention(summary: HostSummary, now: datetime) -> list[Attention]:
    host, found = summary.host, attention_of_operation(summary.last_operation)
    address = f"/hosts/{host.name}"
    unsuccessful = summary.last_operation is not None and summary.last_operation.status in UNSUCCESSFUL
    if host.state == HostState.ADDED and not host.is_local and summary.running is None and not unsuccessful:
        found.append(Attention(severity="yellow", text=f"The host {host.name} is not prepared yet.", address=address, action="Prepare"))
    if summary.wants_reboot and not host.is_local and host.seen_at is not None and now - host.seen_at < FRESH:
        text = f"The host {host.name} waits to be started anew after an update."
        found.append(Attention(severity="yellow", text=text, address=address, action="Look"))
    return found


def _size_of(facts: Mapping[str, Any], name: str) -> str | None:
    return size(facts[name]) if name in facts else None


def _room(disk: Mapping[str, int]) -> str:
    return f"{size(disk['free_bytes'])} free of {size(disk['total_bytes'])}"


def _waiting(count: int | None) -> str | None:
    return (
        None
        if count is None
        else "none waits"
        if count == 0
        else f"{count} wait to be installed"
        if count > 1
        else "1 waits to be installed"
    )
