"""What the monitor would have seen of a CRM, written into its ledger."""

from collections.abc import Iterable
from datetime import datetime, timedelta
from pathlib import Path

from monitoring.checks import Check
from monitoring.clock import Moment
from monitoring.ledger import SERVICE, Ledger, Observation, State

BOOTED = datetime(2020, 1, 1).astimezone()
EVERY = timedelta(seconds=15)


Checked = tuple[datetime, str, float]
"""When a probe was carried out, which one, and how many seconds it took."""


def write_states(
    file: Path,
    crm: str,
    states: Iterable[tuple[datetime, State]],
    *,
    believed: timedelta = 3 * EVERY,
    reason: str = "",
    checks: Iterable[Checked] = (),
) -> None:
    """Write that it was found so at each of the moments; each is believed for a length, after which nobody looked. And probes meanwhile."""
    file.parent.mkdir(parents=True, exist_ok=True)
    courses: list[tuple[datetime, list[Observation], list[Check]]] = [
        *((at, [_seen(crm, state, at, believed, reason)], []) for at, state in states),
        *((at, [], [Check(crm=crm, target=probe, healthy=True, duration_seconds=seconds)]) for at, probe, seconds in checks),
    ]
    with Ledger(file) as ledger:
        for at, seen, checked in sorted(courses, key=lambda course: course[0]):
            ledger.record(seen, checked, moment_of_watch(at))


def _seen(crm: str, state: State, at: datetime, believed: timedelta, reason: str) -> Observation:
    return Observation(
        crm=crm,
        target=SERVICE,
        state=state,
        at=moment_of_watch(at),
        cause="live",
        reason=reason,
        believed_seconds=believed.total_seconds(),
        believed_after_start_seconds=believed.total_seconds(),
    )


def moment_of_watch(at: datetime) -> Moment:
    """As the monitor has it that wrote this; the machine that runs the tests may have been up for days, which counts as not watched."""
    return Moment(wall=at, boot_id="b", boot_seconds=(at - BOOTED).total_seconds())


def each_quarter_minute(ended: datetime, *states: State) -> list[tuple[datetime, State]]:
    """States that were seen one after the other, the last of them at the end."""
    return [(ended - EVERY * ago, state) for ago, state in zip(reversed(range(len(states))), states, strict=True)]
