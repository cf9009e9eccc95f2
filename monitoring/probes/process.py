"""Looks for running processes by their command line."""

import asyncio
import re
from typing import Literal

import psutil
from pydantic import Field

from monitoring.probes.base import Pattern, ProbeBase, Result, healthy, unhealthy


class Probe(ProbeBase):
    """At least `min` processes whose command line holds the pattern, owned by `user` if given."""

    kind: Literal["process"]
    pattern: Pattern
    user: str | None = None
    min: int = Field(default=1, ge=1)


async def check(probe: Probe) -> Result:
    """Healthy when enough of them run."""
    found = await asyncio.to_thread(_count, re.compile(probe.pattern), probe.user)
    if found < probe.min:
        return unhealthy(f"{found} of {probe.min} expected processes run")
    return healthy(f"{found} running")


def _count(pattern: re.Pattern[str], user: str | None) -> int:
    found = 0
    for process in psutil.process_iter(["cmdline", "username", "status"]):
        facts = process.info
        if facts["status"] == psutil.STATUS_ZOMBIE or (user and facts["username"] != user):
            continue
        found += bool(pattern.search(" ".join(facts["cmdline"] or [])))
    return found
