"""Checks are counted, not kept one by one: how many, how long, with what result. Functions here work inside the ledger's transactions."""

import sqlite3
from bisect import bisect_left
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, NamedTuple

DURATION_BOUNDS_SECONDS = (0.05, 0.1, 0.2, 0.3, 0.5, 0.8, 1.2, 2.0, 3.0, 5.0, 10.0, float("inf"))


@dataclass(frozen=True, kw_only=True)
class Check:
    """One probe was carried out."""

    crm: str
    target: str
    healthy: bool
    duration_seconds: float


class CheckSums(NamedTuple):
    """Checks of one target: how many, how long together, and how many took no longer than each of DURATION_BOUNDS_SECONDS."""

    healthy: int
    unhealthy: int
    seconds: float
    buckets: tuple[int, ...]


_WITHIN = ", ".join(f"sum(iif(upper_bound_seconds <= {bound}, count, 0))" for bound in DURATION_BOUNDS_SECONDS[:-1])
SUMS = (
    "SELECT crm, target, sum(iif(result = 'healthy', count, 0)), sum(iif(result = 'unhealthy', count, 0)), sum(seconds),"  # noqa: S608
    f" {_WITHIN}, sum(count) FROM checks GROUP BY crm, target"  # made of the figures above
)


def sums_of(rows: Iterable[Any]) -> dict[tuple[str, str], CheckSums]:
    """What the query SUMS gives, by crm and target."""
    return {
        (crm, target): CheckSums(healthy, unhealthy, seconds, tuple(buckets)) for crm, target, healthy, unhealthy, seconds, *buckets in rows
    }


def count_check(connection: sqlite3.Connection, check: Check) -> None:
    """Adds it to those of its target that had the same result and took about as long."""
    bound = DURATION_BOUNDS_SECONDS[bisect_left(DURATION_BOUNDS_SECONDS, check.duration_seconds)]
    result = "healthy" if check.healthy else "unhealthy"
    connection.execute(
        "INSERT INTO checks VALUES (?, ?, ?, ?, 1, ?) ON CONFLICT DO UPDATE SET count = count + 1, seconds = seconds + excluded.seconds",
        (check.crm, check.target, result, bound, check.duration_seconds),
    )
