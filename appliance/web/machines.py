"""What the pages say of each host."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from appliance.domain.host import Host, HostState
from appliance.domain.instance import Instance, InstanceGlance
from appliance.domain.operation import Operation
from appliance.hosts.host_keys import fingerprint
from appliance.store import Store
from appliance.web.attention import UNSUCCESSFUL, Attention, attention_of_operation
from appliance.web.formats import size
from appliance.web.languages import gettext, ngettext

FRESH = timedelta(days=1)
"""What was seen longer ago asks nobody to do anything: it may have been done since."""


@dataclass(frozen=True, kw_only=True)
class HostSummary:
    """A host at a glance; what is not known of it is empty or None."""

    host: Host
    instances: tuple[Instance | InstanceGlance, ...]
    running: Operation | None
    last_operation: Operation | None

    @property
    def system(self) -> str:
        """Its operating system."""
        return str(self.host.facts.get("system", ""))

    @property
    def free_bytes(self) -> int | None:
        """Room on the fullest of the file systems that CRMs write to."""
        return free_bytes(self.host)

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
            gettext("System"): self.system,
            gettext("Name it gives itself"): facts.get("hostname"),
            gettext("Kernel"): " ".join(str(facts[name]) for name in ("kernel", "architecture") if name in facts),
            gettext("Processors"): facts.get("cpus"),
            gettext("Memory"): _size_of(facts, "memory_bytes"),
            **{gettext("Disk %(directory)s", directory=directory): _room(disk) for directory, disk in self._disks.items()},
            gettext("Security updates"): _waiting(facts.get("security_updates")),
        }
        return [(title, str(value)) for title, value in known.items() if value]


def free_bytes(host: Host) -> int | None:
    """Room on the fullest of the file systems that CRMs write to, as the host was seen last."""
    return min((disk["free_bytes"] for disk in host.facts.get("disks", {}).values()), default=None)


def summarize_hosts(store: Store) -> list[HostSummary]:
    """Every host at a glance, by name."""
    instances, hosts = store.instances.glances(), store.hosts.list()
    last = store.operations.last_of([host.subject for host in hosts])
    return [_summarize(host, instances, last.get(host.subject)) for host in hosts]


def summarize_host(store: Store, name: str) -> HostSummary:
    """One host at a glance. Raises NotFound."""
    host = store.hosts.get(name)
    instances = store.instances.some([one.name for one in store.instances.glances() if one.host == name])
    return _summarize(host, instances, store.operations.last_of([host.subject]).get(host.subject))


def _summarize(host: Host, instances: Sequence[Instance | InstanceGlance], last: Operation | None) -> HostSummary:
    return HostSummary(
        host=host,
        instances=tuple(instance for instance in instances if instance.host == host.name),
        running=last if last and not last.status.is_final else None,
        last_operation=last,
    )


def attention_of_hosts(store: Store, now: datetime) -> list[Attention]:
    """What somebody should look at on managed hosts."""
    hosts = store.hosts.list()
    last = store.operations.last_of([host.subject for host in hosts])
    return [item for host in hosts for item in attention_of_host(_summarize(host, (), last.get(host.subject)), now)]


def attention_of_host(summary: HostSummary, now: datetime) -> list[Attention]:
    """What somebody should look at on one."""
    host, found = summary.host, attention_of_operation(summary.last_operation)
    address = f"/hosts/{host.name}"
    unsuccessful = summary.last_operation is not None and summary.last_operation.status in UNSUCCESSFUL
    if host.state == HostState.ADDED and not host.is_local and summary.running is None and not unsuccessful:
        text = gettext("The host %(name)s is not prepared yet.", name=host.name)
        found.append(_about(host, "not-prepared", text=text, address=address, action=gettext("Prepare")))
    if summary.wants_reboot and not host.is_local and host.seen_at is not None and now - host.seen_at < FRESH:
        text = gettext("The host %(name)s waits to be started anew after an update.", name=host.name)
        found.append(_about(host, "reboot", text=text, address=address, action=gettext("Look")))
    return found


def _about(host: Host, cause: str, *, text: str, address: str, action: str) -> Attention:
    key = f"{host.subject}.{cause}"
    return Attention(key=key, subject=host.subject, severity="yellow", text=text, address=address, action=action)


def _size_of(facts: Mapping[str, Any], name: str) -> str | None:
    return size(facts[name]) if name in facts else None


def _room(disk: Mapping[str, int]) -> str:
    return gettext("%(free)s free of %(total)s", free=size(disk["free_bytes"]), total=size(disk["total_bytes"]))


def _waiting(count: int | None) -> str | None:
    if count is None:
        return None
    return ngettext("%(num)s waits to be installed", "%(num)s wait to be installed", count) if count else gettext("none waits")
