"""What the ledger's intervals add up to. Of each target only the newest interval still grows, so the others are read and added up once."""

from bisect import bisect_right
from collections import Counter, defaultdict
from collections.abc import Collection, Iterable
from dataclasses import dataclass, field
from datetime import timedelta
from itertools import islice

from monitoring.clock import Moment
from monitoring.ledger import SERVICE, UNSEEN_TAIL_SECONDS, IntervalRow, Ledger
from monitoring.uptime import State, Uptime, summarise

Key = tuple[str, str]
UNKNOWN = State.UNKNOWN.value
UNSEEN_TAIL_MS = UNSEEN_TAIL_SECONDS * 1000


@dataclass(kw_only=True)
class Past:
    """One target of one CRM: milliseconds by state in what has ended, and the newest interval. `spans` are those of whole CRMs only."""

    settled_ms: dict[str, int] = field(default_factory=dict)
    newest: IntervalRow | None = None
    spans: list[tuple[str, int, int]] = field(default_factory=list)

    def spent_seconds(self, states: Iterable[str]) -> list[float]:
        """All time ever spent in each of the states."""
        spent_ms = self.settled_ms
        if (newest := self.newest) is not None:
            spent_ms = {**spent_ms, newest.state: spent_ms.get(newest.state, 0) + newest.end_ms - newest.start_ms}
        return [spent_ms.get(state, 0) / 1000 for state in states]

    def settle(self, *, keep_span: bool) -> None:
        """Add up what was the newest until now."""
        if (ended := self.newest) is None:
            return
        self.settled_ms[ended.state] = self.settled_ms.get(ended.state, 0) + ended.end_ms - ended.start_ms
        if keep_span:
            self.spans.append((ended.state, ended.start_ms, ended.end_ms))

    def within(self, since_ms: int, until_ms: int) -> tuple[int, int]:
        """Milliseconds of the window in which it was watched, and how many of them nobody saw."""
        watched_ms = unknown_ms = 0
        for at in range(bisect_right(self.spans, since_ms, key=_end_of), len(self.spans)):
            state, start_ms, end_ms = self.spans[at]
            spent_ms = min(end_ms, until_ms) - max(start_ms, since_ms)
            watched_ms += spent_ms
            unknown_ms += spent_ms if state == UNKNOWN else 0
        if (newest := self.newest) is not None:
            spent_ms = max(0, min(newest.end_ms, until_ms) - max(newest.start_ms, since_ms))
            unseen_ms = 0 if newest.closed or until_ms - newest.end_ms <= UNSEEN_TAIL_MS else until_ms - max(newest.end_ms, since_ms)
            watched_ms += spent_ms + unseen_ms
            unknown_ms += unseen_ms + (spent_ms if newest.state == UNKNOWN else 0)
        return watched_ms, unknown_ms

    def spent(self, since_ms: int, until_ms: int) -> Uptime:
        """How the window was spent, of a whole CRM."""
        first = bisect_right(self.spans, since_ms, key=_end_of)
        spans = [(State(state), start_ms, end_ms) for state, start_ms, end_ms in islice(self.spans, first, None)]
        if (newest := self.newest) is not None:
            spans.append((State(newest.state), newest.start_ms, newest.end_ms))
            if not newest.closed and until_ms - newest.end_ms > UNSEEN_TAIL_MS:
                spans.append((State.UNKNOWN, newest.end_ms, until_ms))
        return summarise(spans, since_ms, until_ms)


def _end_of(span: tuple[str, int, int]) -> int:
    return span[2]


class Intervals:
    """All targets of a ledger. `outages` counts by CRM and cause; an outage that outlasts a gap or a set clock is one."""

    def __init__(self, ledger: Ledger) -> None:
        """Reads nothing yet."""
        self._ledger = ledger
        self._last_id = 0
        self.past: defaultdict[Key, Past] = defaultdict(Past)
        self.outages: Counter[Key] = Counter()

    def refresh(self) -> None:
        """Read what is new, and again what was still growing. Raises sqlite3.Error."""
        growing = [past.newest.id for past in self.past.values() if past.newest is not None]
        for row in self._ledger.interval_rows(after=self._last_id, among=growing):
            self._take(row)
            self._last_id = max(self._last_id, row.id)

    def _take(self, row: IntervalRow) -> None:
        past = self.past[row.crm, row.target]
        if past.newest is not None and past.newest.id != row.id:
            past.settle(keep_span=row.target == SERVICE)
        if row.id > self._last_id and row.target == SERVICE and row.state == State.DOWN.value and not row.continued:
            self.outages[row.crm, row.cause] += 1
        past.newest = row

    def uptime(self, crm: str, window: timedelta, until_ms: int) -> Uptime:
        """How a CRM spent the window that ends at that place, as the ledger says it, from what was read already."""
        return self.past[crm, SERVICE].spent(until_ms - round(window.total_seconds() * 1000), until_ms)

    def coverage_ratio(self, crms: Collection[str], window: timedelta, now: Moment) -> float | None:
        """The share of the window in which these CRMs were seen, of all the time they were watched in it; None where there is none."""
        until_ms = self._ledger.position_ms(now)
        since_ms = until_ms - round(window.total_seconds() * 1000)
        found = [past.within(since_ms, until_ms) for crm in crms if (past := self.past.get((crm, SERVICE))) is not None]
        watched_ms = sum(watched for watched, _ in found)
        return None if watched_ms <= 0 else 1 - sum(unknown for _, unknown in found) / watched_ms
