"""A ledger of ten years: one CRM, probed every minute, with a thousand outages, and a reboot each month."""

from datetime import timedelta
from pathlib import Path

from monitoring.checks import Check
from monitoring.clock import Moment
from monitoring.ledger import SERVICE, Ledger, Observation, State

CRM = "sales"
PROBES = ("live", "ready", "deep", "queue")
YEARS, OUTAGES, REBOOTS = 10, 1000, 120
LENGTH = timedelta(days=365 * YEARS + 2)
OUTAGE, MINUTE = timedelta(minutes=5), timedelta(minutes=1)
DURATIONS_SECONDS = (0.01, 0.06, 0.15, 0.25, 0.4, 0.7, 1.1)


def write_ten_years(file: Path, until: Moment) -> int:
    """Write the ledger, so that it ends at that moment; gives how many intervals it holds.

    Told is only what changes something: an observation like the one before makes its row longer, however many there are.
    """
    every = LENGTH / OUTAGES
    with Ledger(file) as ledger:
        for number in range(OUTAGES):
            left, boot_id = LENGTH - every * number, _boot_of(number, until)
            for passed, state in ((MINUTE, State.UP), (every / 2, State.DOWN), (every / 2 + OUTAGE, State.UP), (every - MINUTE, State.UP)):
                seconds = (left - passed).total_seconds()
                at = Moment(wall=until.wall - (left - passed), boot_seconds=until.boot_seconds - seconds, boot_id=boot_id)
                _see(ledger, at, state, duration_seconds=DURATIONS_SECONDS[number % len(DURATIONS_SECONDS)])
        _see(ledger, until, State.UP, duration_seconds=0.1)
        return sum(len(ledger.intervals(CRM, target)) for target in (*PROBES, SERVICE))


def _boot_of(number: int, until: Moment) -> str:
    """Each month has its own; the last is the present one."""
    boot = number * REBOOTS // OUTAGES
    return until.boot_id if boot == REBOOTS - 1 else f"{boot:08}-0000-4000-8000-000000000000"


def _see(ledger: Ledger, at: Moment, state: State, *, duration_seconds: float) -> None:
    believed_seconds = LENGTH.total_seconds()
    seen = [
        Observation(
            crm=CRM,
            target=target,
            state=state,
            at=at,
            cause="live" if state is State.DOWN else "",
            reason="answered 502 instead of 200" if state is State.DOWN else "",
            believed_seconds=believed_seconds,
            believed_after_start_seconds=believed_seconds,
        )
        for target in (*PROBES, SERVICE)
    ]
    checks = [Check(crm=CRM, target=name, healthy=state is State.UP, duration_seconds=duration_seconds) for name in PROBES]
    ledger.record(seen, checks, at)
