"""Watches one CRM: probes it at its interval and hands on what it saw."""

import asyncio
import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from monitoring.checks import Check
from monitoring.clock import Clock, Moment
from monitoring.elsewhere import ask_elsewhere
from monitoring.ledger import SERVICE, Observation, State
from monitoring.probes import CheckedProbe, ProbeBase, run_probe
from monitoring.targets import Target
from monitoring.verdict import ESSENTIAL_PROBES, Verdict, judge_crm, judge_probe

PACE_SECONDS = 0.003
"""Watches that begin together begin this much after each other, or less: all have begun within a quarter of their interval."""
SOON = 2 / 3
"""Whose place comes later in the interval than this has it for its second round at once; the others wait for the next interval."""
OTHERS_SECONDS = 1.0
"""A CRM that serves nobody is told so even if its other probes still wait for an answer after this time."""

log = logging.getLogger("monitoring")


class Sink(Protocol):
    """Takes what was seen."""

    def add(self, observations: Sequence[Observation], checks: Sequence[Check]) -> None:
        """Keeps it until it is written."""

    def see_host(self, host: str, *, answers: bool) -> None:
        """Keeps whether a host that was asked has answered."""


@dataclass(kw_only=True)
class Watch:
    """The watch over one CRM. `slots` bounds how many programs run at the same moment, here or on hosts; light probes are not bounded."""

    target: Target
    clock: Clock
    sink: Sink
    slots: asyncio.Semaphore
    verdicts: dict[str, Verdict] = field(default_factory=dict)
    checked_at: dict[str, float] = field(default_factory=dict)
    state: State | None = None

    async def run(self, *, number: int = 0, of: int = 1) -> None:
        """Probes until cancelled. A round that lasts longer than the interval is followed at once by the next.

        Of several that begin together each begins soon, since after a restart of the monitor the time until then may be unknown;
        later their rounds are spread evenly over the interval.
        """
        loop = asyncio.get_running_loop()
        place_seconds = self.target.interval_seconds * number / of
        due = loop.time() + place_seconds - (self.target.interval_seconds if number / of > SOON else 0)
        await asyncio.sleep(min(number * PACE_SECONDS, place_seconds / 4))
        while True:
            await self.look()
            due = max(due + self.target.interval_seconds, loop.time())
            await asyncio.sleep(due - loop.time())

    async def look(self) -> None:
        """One round: probe, confirm what failed, judge, hand on."""
        began = self.clock()
        if await self._in_maintenance():
            self._tell_maintenance(began)
            return
        due = self._due_probes(began)
        others = asyncio.create_task(self._confirm([probe for probe in due if not self._comes_first(probe)]))
        try:
            checked = await self._confirm([probe for probe in due if self._comes_first(probe)])
            if not all(result.healthy for result in checked.values()):
                await asyncio.wait([others], timeout=OTHERS_SECONDS)
                if not others.done() and not await self._in_maintenance():
                    self._learn(checked, began)
                    checked = {}
            checked |= await others
        finally:
            others.cancel()
        # Asked again, since an operation may have begun between the first probe and its failure.
        if await self._in_maintenance():
            self._tell_maintenance(began)
            return
        self._learn(checked, began)

    def _comes_first(self, probe: ProbeBase) -> bool:
        """What decides whether the CRM is up, as far as it is seen from here."""
        return probe.name in ESSENTIAL_PROBES and probe.name not in self.target.elsewhere

    async def _confirm(self, probes: Sequence[ProbeBase]) -> dict[str, CheckedProbe]:
        """Probe, and once more what failed."""
        checked = await self._check(probes)
        doubtful = [self.target.probes[name] for name, result in checked.items() if self._is_doubtful(result)]
        if doubtful:
            await asyncio.sleep(min(max(probe.confirm_after_seconds for probe in doubtful), self.target.interval_seconds))
            checked |= await self._check(doubtful)
        return checked

    def _learn(self, checked: Mapping[str, CheckedProbe], began: Moment) -> None:
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
        if not probes:
            return {}
        far = [probe for probe in probes if probe.name in self.target.elsewhere]
        near = [probe for probe in probes if probe.name not in self.target.elsewhere]
        answered, seen = await asyncio.gather(self._ask_far(far), asyncio.gather(*map(self._run_probe, near)))
        checked = {result.name: result for result in (*seen, *answered)}
        checks = [
            Check(crm=self.target.crm, target=name, healthy=result.healthy, duration_seconds=result.duration_seconds)
            for name, result in checked.items()
        ]
        self.sink.add([], checks)
        return checked

    async def _run_probe(self, probe: ProbeBase) -> CheckedProbe:
        if probe.is_light:
            return await run_probe(probe)
        async with self.slots:
            return await run_probe(probe)

    def _is_doubtful(self, result: CheckedProbe) -> bool:
        """A failure that is news is confirmed, unless it was no answer for longer than the confirmation would have waited."""
        is_known = result.name in self.verdicts and self.verdicts[result.name].state is State.DOWN
        probe = self.target.probes[result.name]
        patience_seconds = max(probe.timeout_seconds, probe.confirm_after_seconds)
        return not (result.healthy or is_known or result.duration_seconds >= patience_seconds)

    async def _ask_far(self, probes: Sequence[ProbeBase]) -> tuple[CheckedProbe, ...]:
        """What cannot be learned, since the way there is cut, is not known: it is left out, neither healthy nor not."""
        if not probes:
            return ()
        async with self.slots:
            answer = await ask_elsewhere(self.target.through, probes, None)
        return () if answer is None else answer.checked

    async def _in_maintenance(self) -> bool:
        if self.target.through:
            async with self.slots:
                answer = await ask_elsewhere(self.target.through, (), self.target.maintenance_flag)
            self.sink.see_host(self.target.host, answers=answer is not None)
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
        confirmed_seconds = max((each.confirm_after_seconds for each in self.target.probes.values()), default=0)
        return Observation(
            crm=self.target.crm,
            target=name,
            state=verdict.state,
            at=at,
            cause=verdict.cause,
            reason=verdict.reason,
            # A round that fails by timeout twice is the longest that may lie between two observations.
            believed_seconds=2 * interval_seconds + 2 * slowest_seconds + confirmed_seconds,
            believed_after_start_seconds=1.5 * interval_seconds,
        )
