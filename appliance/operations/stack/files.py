"""Every file that the stack on a host is configured with."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256

from appliance.domain.channel import Purpose
from appliance.domain.host import Host
from appliance.domain.instance import InstanceState
from appliance.operations.certifying import authority
from appliance.operations.channels import URL, channel_scope
from appliance.operations.scraping import metrics_token
from appliance.operations.stack.alertmanager import DEAD_MAN, Told, alertmanager_text
from appliance.operations.stack.kept import dead_man_of
from appliance.operations.stack.prometheus import AUTHORITY, CRM_AUTHORITIES, RULES, TOKEN, blackbox_text, has_databases, prometheus_text
from appliance.operations.stack.receivers import dead_man, receiver_of
from appliance.wiring import Appliance
from monitoring.rules import prometheus as rules


@dataclass(frozen=True, kw_only=True)
class StackFiles:
    """Texts by the name of the file; whether there are databases to be asked; the channels that only the appliance itself can notify by."""

    texts: dict[str, str]
    databases: bool
    left_out: Sequence[str]

    @property
    def digest(self) -> str:
        """Of all of them."""
        return sha256(repr(sorted(self.texts.items())).encode()).hexdigest()


def stack_files(appliance: Appliance, host: Host, metrics: tuple[str, int], now: datetime) -> StackFiles:
    """As things are now: CRMs, hosts, channels. Raises NotFound where the dead man's channel is gone."""
    instances = [one for one in appliance.store.instances.list() if one.state is InstanceState.ACTIVE]
    told, left_out = _told(appliance)
    heartbeat = dead_man_of(appliance, host.name)
    watched = appliance.store.vault.get(channel_scope(heartbeat), URL) if heartbeat else None
    texts = {
        "prometheus.yml": prometheus_text(host, metrics, instances, appliance.store.hosts.list()),
        "alertmanager.yml": alertmanager_text(told, dead_man(DEAD_MAN, watched) if watched else None),
        "blackbox.yml": blackbox_text(),
        TOKEN: metrics_token(appliance),
        AUTHORITY: authority(appliance, now).certificate,
        CRM_AUTHORITIES: "".join(dict.fromkeys(one.tls.trust for one in instances if one.tls.trust))
        or authority(appliance, now).certificate,
        **{f"{RULES}{name}": text for name, text in rules.files().items()},
        f"{RULES}stack.yml": rules.STACK_FILE.read_text(encoding="utf-8"),
    }
    for one in told:
        texts |= one.receiver.secrets
    return StackFiles(texts=texts, databases=has_databases(host, instances), left_out=left_out)


def _told(appliance: Appliance) -> tuple[list[Told], list[str]]:
    told, left_out = [], []
    for channel in appliance.store.channels.list():
        if channel.purpose is not Purpose.ALERTS:
            continue
        receiver = receiver_of(channel.name, appliance.store.vault.get(channel_scope(channel.name), URL))
        if receiver is None:
            left_out.append(f"{channel.name} ({channel.service})")
        else:
            told.append(Told(channel=channel, receiver=receiver))
    return told, left_out
