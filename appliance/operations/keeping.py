"""How long logs and artifacts of operations are kept: the newest of each instance for ever, the others for some days."""

import shutil
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

from appliance.wiring import Appliance

PAUSE_SECONDS = 3600.0
BATCH = 10
"""Operations that are cleared at once, so that a request never waits long behind them."""


@dataclass(kw_only=True)
class Keeping:
    """Clears what is no longer kept, once an hour and only while nothing else is to be done."""

    monotonic: Callable[[], float] = time.monotonic
    due_at: float = 0.0

    def clear(self, appliance: Appliance, now: datetime, *, idle: bool) -> None:
        """Clear a small batch if it is time; the next one follows at the next call, until nothing is left."""
        if idle and self.monotonic() >= self.due_at and clear_batch(appliance, now) < BATCH:
            self.due_at = self.monotonic() + PAUSE_SECONDS


def clear_batch(appliance: Appliance, now: datetime) -> int:
    """Clear the oldest that may go, artifacts first, and say so in their logs; gives how many were cleared.

    What cannot be removed is said on standard error, stays as it is and is tried again.
    """
    settings, logs = appliance.settings, appliance.store.logs
    kept_since = now - timedelta(days=settings.operations_kept_days)
    text = (
        f"The log of this operation was cleared on {now:%Y-%m-%d}, with its artifacts. They are kept for {settings.operations_kept_days} "
        f"days, and those of the newest {settings.operations_kept_newest} operations of each instance for longer."
    )
    cleared = 0
    for operation_id in logs.find_old(ended_before=kept_since, newest=settings.operations_kept_newest, limit=BATCH):
        try:
            _remove_artifacts(appliance, operation_id)
        except OSError as error:
            print(f"The artifacts of operation {operation_id} cannot be cleared: {error}", file=sys.stderr)
            continue
        logs.clear(operation_id, text, now=now)
        cleared += 1
    return cleared


def _remove_artifacts(appliance: Appliance, operation_id: int) -> None:
    directory = appliance.settings.home / "operations" / str(operation_id)
    if directory.exists():
        shutil.rmtree(directory)
