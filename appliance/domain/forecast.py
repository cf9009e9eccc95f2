"""Will it finish in the window? Only what was measured before can tell, and without that nobody can."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum
from statistics import median


class Fit(StrEnum):
    """Whether work is over before the window is."""

    YES = "yes"
    """Also the longest run so far would be."""
    LIKELY = "likely"
    """Half of the runs so far would be, the longest would not."""
    NO = "no"
    """More than half of the runs so far would not be."""
    UNKNOWN = "unknown"
    """It has never been done."""


@dataclass(frozen=True, kw_only=True)
class Forecast:
    """How long the same took before; both lengths are None when it was never done."""

    runs: int
    median: timedelta | None
    longest: timedelta | None

    def fit(self, available: timedelta) -> Fit:
        """Whether it is over within that time."""
        if self.median is None or self.longest is None:
            return Fit.UNKNOWN
        if self.longest <= available:
            return Fit.YES
        return Fit.LIKELY if self.median <= available else Fit.NO

    def explain(self, available: timedelta) -> str:
        """For people, with what it was judged by."""
        left = f"{_text(available)} are left"
        if self.median is None or self.longest is None:
            return f"{left}; how long it takes is not known, since it was never done before"
        before = (
            f"{self.runs} {'run' if self.runs == 1 else 'runs'} before took {_text(self.median)} (median), {_text(self.longest)} at most"
        )
        says = {Fit.YES: "it will finish", Fit.LIKELY: "it will probably finish", Fit.NO: "it will not finish"}
        return f"{left}; {before}: {says[self.fit(available)]} in the window"


def forecast(durations: Iterable[timedelta]) -> Forecast:
    """By what runs that succeeded took."""
    known = sorted(durations)
    if not known:
        return Forecast(runs=0, median=None, longest=None)
    middle = median(length.total_seconds() for length in known)
    return Forecast(runs=len(known), median=timedelta(seconds=middle), longest=known[-1])


def _text(length: timedelta) -> str:
    seconds = max(0, round(length.total_seconds()))
    return f"{seconds} s" if seconds < 120 else f"{seconds // 60} min"  # noqa: PLR2004 - from two minutes on, minutes tell more
