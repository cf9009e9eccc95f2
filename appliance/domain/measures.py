"""Durations and sizes as people read them."""

from datetime import timedelta

MINUTE, HOUR, DAY = 60, 3600, 86_400


def duration(length: timedelta) -> str:
    """ "0.4 s", "12 s", "3 min 20 s", "2 h 5 min"."""
    seconds = length.total_seconds()
    if seconds < 1:
        return f"{max(seconds, 0):.1f} s"
    whole = int(seconds)
    if whole < MINUTE:
        return f"{whole} s"
    if whole < HOUR:
        return f"{whole // MINUTE} min {whole % MINUTE} s"
    return f"{whole // HOUR} h {whole % HOUR // MINUTE} min"


def roughly(length: timedelta) -> str:
    """The same, and whole days where there are two or more: "26 h 0 min", "12 days"."""
    days = length // timedelta(days=1)
    return f"{days} days" if days >= 2 else duration(length)  # noqa: PLR2004 - fewer are told in hours


def size(count_bytes: float) -> str:
    """ "512 B", "3.4 MiB": powers of 1024, three digits at most."""
    for unit in ("B", "KiB", "MiB", "GiB"):
        if count_bytes < 1000:  # noqa: PLR2004 - three digits
            return f"{count_bytes:.0f} {unit}" if unit == "B" or count_bytes >= 100 else f"{count_bytes:.1f} {unit}"  # noqa: PLR2004
        count_bytes /= 1024
    return f"{count_bytes:.1f} TiB"


def percent(ratio: float | None) -> str:
    """A share of time, never rounded up to what it was not: 99.996 % is not 100 %."""
    if ratio is None:
        return "–"
    if ratio in (0.0, 1.0):
        return f"{ratio:.0%}".replace("%", " %")
    return f"{int(ratio * 100_000) / 1000:.3f} %"
