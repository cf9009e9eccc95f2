"""What is asked of the channels that people are notified by."""

import sqlite3
from collections.abc import Collection
from contextlib import closing
from datetime import datetime

from appliance.domain.channel import Channel, Purpose, check_name, read_quiet, read_severities
from appliance.errors import InvalidRequest
from appliance.operations.sending import NotSent, ask, check_heartbeat, send, service_of
from appliance.store.channels import note_new_address
from appliance.wiring import Appliance
from monitoring.rules.memory import RuleMemory
from monitoring.schema import LedgerTooNew

URL = "url"
LONGEST_URL = 2000


def channel_scope(name: str) -> str:
    """Under which its address lies in the vault."""
    return f"channel:{name}"


def add_channel(
    appliance: Appliance,
    *,
    name: str,
    url: str,
    purpose: Purpose = Purpose.ALERTS,
    severities: Collection[str] = (),
    crms: Collection[str] = (),
    quiet: str = "",
    zone: str = "UTC",
    weekly: bool = False,
    requested_by: str,
    now: datetime,
) -> Channel:
    """Notify there from now on; of what fires already, when it is over. Raises InvalidRequest, which never repeats the address."""
    check_name(name, taken={channel.name for channel in appliance.store.channels.list()})
    address = _checked_address(url)
    channel = Channel(
        name=name,
        purpose=purpose,
        service=_service_at(purpose, address),
        created_at=now,
        severities=read_severities(severities),
        crms=_known_crms(appliance, crms),
        quiet=read_quiet(quiet, zone),
        weekly=weekly and purpose is Purpose.ALERTS,
        told=dict.fromkeys((severity.value for severity in read_severities(())), _last_change(appliance)),
    )
    appliance.store.vault.put(channel_scope(name), URL, address)
    appliance.store.channels.add(channel, by=requested_by)
    return channel


def _checked_address(url: str) -> str:
    address = url.strip()
    if len(address) > LONGEST_URL:
        raise InvalidRequest(f"The address is longer than {LONGEST_URL} characters. Nothing was changed.", field="url")
    return address


def _known_crms(appliance: Appliance, crms: Collection[str]) -> tuple[str, ...]:
    if unknown := sorted(set(crms) - {instance.name for instance in appliance.store.instances.list()}):
        raise InvalidRequest(f"There is no CRM {unknown[0][:60]!r}. Nothing was changed.", field="instance")
    return tuple(sorted(set(crms)))


def replace_address(appliance: Appliance, name: str, url: str, *, requested_by: str, now: datetime) -> None:
    """Notify at another address from now on, for the same purpose. Raises NotFound, and InvalidRequest, which never repeats the address."""
    channel, address = appliance.store.channels.get(name), _checked_address(url)
    service = _service_at(channel.purpose, address)
    appliance.store.vault.exchange(
        channel_scope(name),
        {URL: address},
        also=lambda session: note_new_address(session, name, service=service, by=requested_by, now=now),
    )


def _service_at(purpose: Purpose, address: str) -> str:
    return check_heartbeat(address) if purpose is Purpose.HEARTBEAT else service_of(address)


def remove_channel(appliance: Appliance, name: str, *, requested_by: str, now: datetime) -> None:
    """Notify there no longer, and forget the address. Raises NotFound."""
    appliance.store.channels.remove(name, by=requested_by, now=now)
    appliance.store.vault.forget(channel_scope(name))


def test_channel(appliance: Appliance, name: str, *, requested_by: str, now: datetime) -> None:
    """Send a message that says it is a test, or one heartbeat. Raises NotFound, and NotSent with the reason."""
    channel = appliance.store.channels.get(name)
    url = appliance.store.vault.get(channel_scope(name), URL)
    appliance.store.access.audit(actor=requested_by, action="test channel", subject=name, detail={}, now=now)
    try:
        if channel.purpose is Purpose.HEARTBEAT:
            ask(url)
        else:
            send(url, title="[test] The appliance can notify you here", body=f"{requested_by} asked for this test of {name}.", is_good=True)
    except NotSent as error:
        raise NotSent(f"The test of {name} did not get through: {error}. The channel stays as it is.") from error


def _last_change(appliance: Appliance) -> int:
    """0 where the ledger cannot be read: what it holds once it is mended is told then."""
    appliance.settings.ledger_file.parent.mkdir(parents=True, exist_ok=True)
    try:
        with closing(RuleMemory(appliance.settings.ledger_file)) as memory:
            return memory.last_change()
    except (sqlite3.Error, LedgerTooNew):
        return 0
