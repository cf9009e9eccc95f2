"""What the monitor would have seen of a CRM, written into its ledger."""

from collections.abc import Iterable
from datetime import datetime, timedelta
from pathlib import Path

from monitoring.clock import Moment
from monitoring.ledger import SERVICE, Ledger, Observation, State

BOOTED = datetime(2020, 1, 1).astimezone()
EVERY = timedelta(seconds=15)


def write_states(
    file: Path, crm: str, states: Iterable[tuple[datetime, State]], *, believed: timedelta = 3 * EVERY, reason: str = ""
) -> None:
    """Write that it was found so at each of the moments; each is believed for a length, after which nobody looked."""
    file.parent.mkdir(parents=True, exist_ok=True)
    with Ledger(file) as ledger:
        for at, state in states:
            moment = Moment(wall=at, boot_id="b", boot_seconds=(at - BOOTED).total_seconds())
            seen = Observation(
                crm=crm,
                target=SERVICE,
                state=state,
                at=moment,
                cause="live",
                reason=reason,
                believed_seconds=believed.total_seconds(),
                believed_after_start_seconds=believed.total_seconds(),
            )
            ledger.record([seen], [], moment)


def each_quarter_minute(ended: datetime, *states: State) -> list[tuple[datetime, State]]:
    """States that were seen one after the other, the last of them at the end."""
    return [(ended - EVERY * ago, state) for ago, state in zip(reversed(range(len(states))), states, strict=True)]
