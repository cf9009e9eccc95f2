"""What a round of probes means for a CRM."""

from collections.abc import Mapping
from dataclasses import dataclass

from monitoring.uptime import State

ESSENTIAL_PROBES = ("tcp", "tls", "live", "ready")
"""A CRM that fails one of these serves nobody; the lowest layer that fails is the cause.

The rest (deep, queue, versions) may fail while people can still work.
"""


@dataclass(frozen=True, kw_only=True)
class Verdict:
    """A state, the name of the probe that caused it, and one line for people."""

    state: State
    cause: str = ""
    reason: str = ""


def judge_probe(name: str, *, healthy: bool, detail: str) -> Verdict:
    """One probe knows only up and down."""
    return Verdict(state=State.UP) if healthy else Verdict(state=State.DOWN, cause=name, reason=detail)


def judge_crm(probes: Mapping[str, Verdict]) -> Verdict:
    """The CRM as a whole: down if an essential probe fails, degraded if another one does.

    A CRM without essential probes is down only when all fail.
    """
    failed = {name: verdict for name, verdict in probes.items() if verdict.state is not State.UP}
    if not failed:
        return Verdict(state=State.UP)
    essential = [name for name in ESSENTIAL_PROBES if name in probes]
    broken = [name for name in essential if name in failed]
    down = bool(broken) if essential else len(failed) == len(probes)
    cause = broken[0] if broken else next(iter(failed))
    return Verdict(state=State.DOWN if down else State.DEGRADED, cause=cause, reason=failed[cause].reason)
