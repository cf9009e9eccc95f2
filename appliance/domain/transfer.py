"""How far a step has come that moves bytes: how many, how fast, and how long it still takes."""

from collections import deque
from dataclasses import dataclass, field
from datetime import timedelta

from appliance.domain.measures import duration, size

WINDOW_SECONDS = 10.0
"""The rate is that of the last so many seconds, so that it follows a line that becomes slower."""
TOLD_EVERY_SECONDS = 0.5


@dataclass(frozen=True, kw_only=True)
class Transfer:
    """`stage` is what is moved, as the program that moves it says. What nobody knows (yet) is None; a total may be an estimate."""

    stage: str
    bytes_done: int
    bytes_total: int | None
    bytes_per_second: int | None
    seconds_left: int | None


def transferred(transfer: Transfer) -> str:
    """ "database: 412 MiB of 1.2 GiB, 85 MiB/s, 9 s left"; what is not known is left out."""
    of = f" of {size(transfer.bytes_total)}" if transfer.bytes_total else ""
    said = [f"{transfer.stage}: {size(transfer.bytes_done)}{of}"]
    if transfer.bytes_per_second:
        said.append(f"{size(transfer.bytes_per_second)}/s")
    if transfer.seconds_left:
        said.append(f"{duration(timedelta(seconds=transfer.seconds_left))} left")
    return ", ".join(said)


@dataclass(kw_only=True)
class Pace:
    """Takes what a program says of its progress, and makes a rate of it."""

    stage: str = ""
    seen: deque[tuple[float, int]] = field(default_factory=deque)
    told_at: float = 0.0

    def see(self, stage: str, *, bytes_done: int, bytes_total: int | None, seconds: float) -> Transfer | None:
        """How it stands at `seconds` of a clock that never goes back; None if it was told a moment ago."""
        if begins := stage != self.stage or (bool(self.seen) and bytes_done < self.seen[-1][1]):
            self.stage = stage
            self.seen.clear()
        self.seen.append((seconds, bytes_done))
        while len(self.seen) > 2 and seconds - self.seen[1][0] >= WINDOW_SECONDS:  # noqa: PLR2004 - a rate takes two
            self.seen.popleft()
        if not begins and bytes_done != bytes_total and seconds - self.told_at < TOLD_EVERY_SECONDS:
            return None
        self.told_at = seconds
        rate = self._rate()
        left = max(bytes_total - bytes_done, 0) if bytes_total else None
        return Transfer(
            stage=stage,
            bytes_done=bytes_done,
            bytes_total=bytes_total,
            bytes_per_second=round(rate) if rate else None,
            seconds_left=round(left / rate) if rate and left is not None else None,
        )

    def _rate(self) -> float:
        (first_at, first), (last_at, last) = self.seen[0], self.seen[-1]
        return (last - first) / (last_at - first_at) if last_at > first_at else 0.0
