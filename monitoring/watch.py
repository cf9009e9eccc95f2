"""Watches one CRM: probes it at its interval and hands on what it saw."""

import asyncio
import logging
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Protocol

from monitoring.checks import Check
from monitoring.clock import Clock, Moment
from monitoring.elsewhere import ask_elsewhere
from monitoring.ledger import SERVICE, Observation, State
from monitoring.probes import CheckedProbe, ProbeBase, run_probe
from monitoring.targets import Target
from monitoring.verdict import Verdict, judge_crm, judge_probe

CONFIRM_AFTER_SECONDS = 2.0
"""A failure is confirmed by a second probe this much later: soon enough to alert, late enough to outlast a reload of the proxy."""

log = logging.getLogger("monitoring")


class Sink(Protocol):
    """Takes what was seen."""

    def add(self, observations: Sequence[Observation], checks: Sequence[Check]) -> None:
        """Keeps it until it is written."""


@dataclass(kw_only=True)
class Watch:
    """The watch over one CRM. `slots` bounds how many CRMs are probed at the same moment."""

    target: Target
    clock: Clock
    sink: Sink
    slots: asyncio.Semaphore
    verdicts: dict[str, Verdict] = field(default_factory=dict)
    checked_at: dict[str, float] = field(default_factory=dict)
    state: State | None = None

    async def run(self) -> None:
        """Probes until cancelled. A round that lasts longer than the interval is followed at once by the next."""
        loop = asyncio.get_running_loop()
        due = loop.time()
        while True:
            async with self.slots:
                await self.look()
            due = max(due + self.target.interval_seconds, loop.time())
            await asyncio.sleep(due - loop.time())

    async def look(self) -> None:
        """One round: probe, confirm what failed, judge, hand on."""
        began = self.clock()
        if await self._in_maintenance():
            self._tell_maintenance(began)
            return
        checked = await self._check(self._due_probes(began))
        doubtful = [self.target.probes[name] for name, result in checked.items() if not result.healthy and not self._known_down(name)]
        if doubtful:
            await asyncio.sleep(min(CONFIRM_AFTER_SECONDS, self.target.interval_seconds))
            checked |= await self._check(doubtful)
        # Asked again, since an operation may have begun between the first probe and its failure.
        if await self._in_maintenance():
            self._tell_maintenance(began)
            return
        for name, result in checked.items():
            self.verdicts[name] = judge_probe(name, healthy=result.healthy, detail=result.detail)
        self._tell({name: self.verdicts[name] for name in checked} | {SERVICE: judge_crm(self.verdicts)}, began)

    def _due_probes(self, now: Moment) -> list[ProbeBase]:
        """A probe with an interval of its own rests until it has passed; half a round of slack keeps it from missing its turn."""
        slack = self.target.interval_seconds / 2
        due = []
        for name, probe in self.target.probes.items():
            last = self.checked_at.get(name)
            if last is None or probe.interval_seconds is None or now.boot_seconds - last >= probe.interval_seconds - slack:
                due.append(probe)
                self.checked_at[name] = now.boot_seconds
        return due

    async def _check(self, probes: Sequence[ProbeBase]) -> dict[str, CheckedProbe]:
        far = [probe for probe in probes if probe.name in self.target.elsewhere]
        near = [probe for probe in probes if probe.name not in self.target.elsewhere]
        answered, seen = await asyncio.gather(self._ask_far(far), asyncio.gather(*map(run_probe, near)))
        checked = {result.name: result for result in (*seen, *answered)}
        checks = [
            Check(crm=self.target.crm, target=name, healthy=result.healthy, duration_seconds=result.duration_seconds)
            for name, result in checked.items()
        ]
        self.sink.add([], checks)
        return checked

    def _known_down(self, name: str) -> bool:
        return name in self.verdicts and self.verdicts[name].state is State.DOWN

    async def _ask_far(self, probes: Sequence[ProbeBase]) -> tuple[CheckedProbe, ...]:
        """What cannot be learned, since the way there is cut, is not known: it is left out, neither healthy nor not."""
        answer = await ask_elsewhere(self.target.through, probes, None) if probes else None
        return () if answer is None else answer.checked

    async def _in_maintenance(self) -> bool:
        if self.target.through:
            answer = await ask_elsewhere(self.target.through, (), self.target.maintenance_flag)
            return answer is not None and answer.flag
        return self.target.maintenance_flag is not None and self.target.maintenance_flag.exists()

    def _tell_maintenance(self, at: Moment) -> None:
        self.verdicts.clear()
        self.checked_at.clear()
        self._tell(dict.fromkeys([*self.target.probes, SERVICE], Verdict(state=State.MAINTENANCE)), at)

    def _tell(self, verdicts: dict[str, Verdict], at: Moment) -> None:
        self._say_changes(verdicts[SERVICE])
        self.sink.add([self._observe(name, verdict, at) for name, verdict in verdicts.items()], [])

    def _say_changes(self, verdict: Verdict) -> None:
        if verdict.state is not self.state:
            self.state = verdict.state
            why = f": {verdict.cause}: {verdict.reason}" if verdict.cause else ""
            log.info("%s is %s%s", self.target.crm, verdict.state, why)

    def _observe(self, name: str, verdict: Verdict, at: Moment) -> Observation:
        probe = self.target.probes.get(name)
        interval_seconds = max(self.target.interval_seconds, (probe.interval_seconds or 0) if probe else 0)
        slowest_seconds = max((each.timeout_seconds for each in self.target.probes.values()), default=0)
        return Observation(
            crm=self.target.crm,
            target=name,
            state=verdict.state,
            at=at,
            cause=verdict.cause,
            reason=verdict.reason,
            # A round that fails by timeout twice is the longest that may lie between two observations.
            believed_seconds=2 * interval_seconds + 2 * slowest_seconds + CONFIRM_AFTER_SECONDS,
            believed_after_start_seconds=1.5 * interval_seconds,
        )
