"""Tells people what the alerts do: in the monitor's process, so that a dead panel or worker silences nothing.

What a channel was told is in the store by the number of the last change. It is written after the message got through, so a process that is
killed between the two repeats a message and loses none.
"""

import itertools
import sys
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from threading import Event

from appliance.domain.channel import Channel, Purpose, Severity
from appliance.operations.beside import look_again_and_again
from appliance.operations.channels import URL, channel_scope
from appliance.operations.digest import digest_of
from appliance.operations.messages import message_of
from appliance.operations.sending import NotSent, ask, send
from appliance.operations.stack.kept import lent_heartbeats
from appliance.wiring import Appliance
from monitoring.facts import CHANNEL_FAILS, NOTIFICATIONS
from monitoring.ledger import Ledger
from monitoring.rules.memory import RuleMemory, ToldChange

LOOK_SECONDS = 5.0
BEAT_EVERY = timedelta(minutes=1)
ALIVE_FOR = timedelta(minutes=5)
"""For how long after the rules were evaluated last the heartbeat is still sent."""
AT_ONCE = 8


def _now() -> datetime:
    return datetime.now(UTC)


@dataclass(kw_only=True)
class Notifying:
    """Looks again and again, by its own connection to the ledger's file."""

    appliance: Appliance
    now: Callable[[], datetime] = _now
    facts: Mapping[str, Mapping[tuple[str, str], float]] = field(default_factory=dict)

    def run(self, stop: Event) -> None:
        """Until the event is set."""
        look_again_and_again(self.look, stop, every_seconds=LOOK_SECONDS, failing="Notifications could not be looked after")

    def look(self) -> None:
        """Tell each channel what it was not told yet."""
        channels, now = self.appliance.store.channels.list(), self.now()
        memory = RuleMemory(self.appliance.settings.ledger_file)
        try:
            due = [channel for channel in channels if channel.try_at is None or channel.try_at <= now]
            with ThreadPoolExecutor(AT_ONCE) as pool:
                list(pool.map(lambda channel: self._see_to(channel, memory, now), due))
        finally:
            memory.close()
        self._tell_facts()

    def _see_to(self, channel: Channel, memory: RuleMemory, now: datetime) -> None:
        if channel.purpose is Purpose.HEARTBEAT:
            if channel.name not in lent_heartbeats(self.appliance):
                self._beat(channel, memory.evaluated_at(), now)
        elif self._deliver(channel, memory, now) and channel.is_due_a_digest(now):
            self._attempt(channel, lambda url: self._send_digest(url, channel.crms, now), "the weekly digest was sent", {}, weekly=True)

    def _beat(self, channel: Channel, evaluated_at: float, now: datetime) -> None:
        """Only while alerts are evaluated: that is what the other side watches."""
        is_alive = now.timestamp() - evaluated_at < ALIVE_FOR.total_seconds()
        if is_alive and (channel.noted_at is None or channel.try_at is not None or now - channel.noted_at >= BEAT_EVERY):
            self._attempt(channel, ask, "the heartbeat arrived", {})

    def _deliver(self, channel: Channel, memory: RuleMemory, now: datetime) -> bool:
        """False when it could not be told, so that nothing else is tried now."""
        severities = channel.severities_at(now)
        told = {severity.value: _beginning(channel, severity, memory.last_change()) for severity in severities}
        new = {severity: memory.changes(after=after, severity=severity) for severity, after in told.items()}
        changes = sorted(itertools.chain(*new.values()), key=lambda change: change.id)
        if not changes:
            return True
        reached = {severity: of_it[-1].id for severity, of_it in new.items() if of_it}
        wanted = [change for change in changes if channel.wants(dict(change.alert.labels))]
        if not wanted:
            self.appliance.store.channels.pass_over(channel.name, reached)
            return True
        return self._attempt(channel, lambda url: self._send(url, wanted), f"{len(wanted)} told", reached)

    def _send(self, url: str, changes: Sequence[ToldChange]) -> None:
        domain = self.appliance.settings.panel_domain
        message = message_of(changes, more_at=f"https://{domain}/alerts" if domain else "")
        send(url, title=message.title, body=message.body, is_good=message.is_good)

    def _send_digest(self, url: str, crms: Sequence[str], now: datetime) -> None:
        message = digest_of(self.appliance, now, crms=crms)
        send(url, title=message.title, body=message.body, is_good=message.is_good)

    def _attempt(
        self, channel: Channel, carry_out: Callable[[str], None], done: str, told: Mapping[str, int], *, weekly: bool = False
    ) -> bool:
        channels = self.appliance.store.channels
        try:
            carry_out(self.appliance.store.vault.get(channel_scope(channel.name), URL))
        except NotSent as error:
            channels.note_failed(channel.name, str(error), now=self.now())
            print(f"The channel {channel.name} could not be told: {error}. It is tried again.", file=sys.stderr)
            return False
        channels.note_sent(channel.name, done, told=told, now=self.now(), weekly=weekly)
        return True

    def _tell_facts(self) -> None:
        """For the metrics, and for the rule that watches over the channels."""
        channels = self.appliance.store.channels.list()
        counted = {(one.name, result): float(count) for one in channels for result, count in (("sent", one.sent), ("failed", one.failed))}
        facts = {NOTIFICATIONS: counted, CHANNEL_FAILS: {(one.name, ""): float(one.failures > 0) for one in channels}}
        if facts != self.facts:
            with Ledger(self.appliance.settings.ledger_file) as ledger:
                for name, values in facts.items():
                    ledger.tell_facts(name, values)
            self.facts = facts


def _beginning(channel: Channel, severity: Severity, last_change: int) -> int:
    """After which change it goes on. A ledger that was begun anew counts from 1 again: then all of it is new."""
    told = int(channel.told.get(severity.value, 0))
    return told if told <= last_change else 0
