"""How long probes took, day by day, in the buckets that all checks are counted in. Functions here work inside the ledger's transactions.

Days are stretches of 24 hours on the ledger's time axis, so that a clock that is set neither makes nor forgets one.
"""

import json
import math
import sqlite3
from bisect import bisect_left
from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Sequence
from itertools import accumulate

from monitoring.checks import DURATION_BOUNDS_SECONDS, Check
from monitoring.days import DAY_MS

KEPT_DAYS = 90
COUNTED = ("ready", "deep")
"""The probes that count for what is promised, since people wait for these: a page, and a page behind a log-in."""
Buckets = tuple[int, ...]
"""How many probes took no longer than each of DURATION_BOUNDS_SECONDS, and longer than the one before."""
NONE: Buckets = (0,) * len(DURATION_BOUNDS_SECONDS)


def count_latencies(connection: sqlite3.Connection, checks: Iterable[Check], position_ms: int) -> None:
    """Adds checks to those of the day at this place; a day that has just begun lets what is too old be forgotten."""
    day = position_ms // DAY_MS
    counted = Counter((check.crm, check.target, bisect_left(DURATION_BOUNDS_SECONDS, check.duration_seconds)) for check in checks)
    connection.executemany(
        "INSERT INTO latencies VALUES (?, ?, ?, ?, ?) ON CONFLICT DO UPDATE SET count = count + excluded.count",
        [(crm, target, day, bucket, count) for (crm, target, bucket), count in counted.items()],
    )


def forget_latencies(connection: sqlite3.Connection, position_ms: int) -> None:
    """Forgets the days that are older than anybody asks for."""
    connection.execute("DELETE FROM latencies WHERE day < ?", (position_ms // DAY_MS - KEPT_DAYS,))


def read_latencies(connection: sqlite3.Connection, crm: str, target: str, days: int, position_ms: int) -> list[Buckets]:
    """Of the last days, oldest first; the last is the day at this place, as far as it has gone."""
    today = position_ms // DAY_MS
    found = [list(NONE) for _ in range(days)]
    query = "SELECT day, bucket, count FROM latencies WHERE crm = ? AND target = ? AND day > ? AND day <= ?"
    for day, bucket, count in connection.execute(query, (crm, target, today - days, today)):
        found[day - today + days - 1][bucket] += count
    return [tuple(buckets) for buckets in found]


def sum_latencies(connection: sqlite3.Connection, crms: Collection[str], first: int, last: int) -> dict[str, Buckets]:
    """What counts for what is promised of each CRM, over days of the ledger's time axis, both ends included."""
    found: defaultdict[str, list[int]] = defaultdict(lambda: list(NONE))
    # Both lists first, so that only these CRMs' own rows are read.
    query = (
        "SELECT latencies.crm, bucket, sum(count) FROM json_each(?) AS wanted CROSS JOIN json_each(?) AS counted CROSS JOIN latencies"
        " ON latencies.crm = wanted.value AND target = counted.value AND day BETWEEN ? AND ? GROUP BY latencies.crm, bucket"
    )
    for crm, bucket, count in connection.execute(query, (json.dumps(list(crms)), json.dumps(COUNTED), first, last)):
        found[crm][bucket] = count
    return {crm: tuple(buckets) for crm, buckets in found.items()}


def add_up(days: Iterable[Buckets]) -> Buckets:
    """All together."""
    return tuple(map(sum, zip(NONE, *days, strict=True)))


def quantile(buckets: Buckets, share: float) -> float | None:
    """The seconds within which such a share of the probes was done, as Prometheus's histogram_quantile finds them; None of no probes.

    It is known to its bucket only, and taken to lie there in proportion; infinite for longer than the last bound.

    >>> quantile((0, 0, 0, 0, 10, 0, 0, 0, 0, 0, 0, 0), 0.5), quantile(NONE, 0.5)
    (0.4, None)
    """
    total = sum(buckets)
    if not total:
        return None
    rank = share * total
    reached = list(accumulate(buckets))
    index = bisect_left(reached, rank)
    upper = DURATION_BOUNDS_SECONDS[index]
    if math.isinf(upper):
        return upper
    lower = DURATION_BOUNDS_SECONDS[index - 1] if index else 0.0
    before = reached[index - 1] if index else 0
    return min(upper, lower + (upper - lower) * (rank - before) / buckets[index])


def share_within(buckets: Buckets, seconds: float) -> float | None:
    """The share of the probes that took no longer than one of the bounds; None of no probes."""
    total = sum(buckets)
    within: Sequence[int] = [count for bound, count in zip(DURATION_BOUNDS_SECONDS, buckets, strict=True) if bound <= seconds]
    return sum(within) / total if total else None
