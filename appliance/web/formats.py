"""Moments, durations, sizes and names as people read them; `now` is passed in."""

from datetime import UTC, datetime, timedelta
from urllib.parse import quote

from appliance.domain.host import host_of_subject, title_of

MINUTE, HOUR, DAY = 60, 3600, 86_400
JUST_NOW_SECONDS = 10


def ago(moment: datetime, now: datetime) -> str:
    """How long ago, in the largest unit that fits, or how long until then: "3 minutes ago", "in 5 days"."""
    seconds = int((now - moment).total_seconds())
    if seconds < JUST_NOW_SECONDS:
        return "just now" if seconds > -JUST_NOW_SECONDS else f"in {_until(-seconds)}"
    for size, name in ((DAY, "day"), (HOUR, "hour"), (MINUTE, "minute"), (1, "second")):
        if seconds >= size:
            count = seconds // size
            return f"{count} {name}{'s' if count != 1 else ''} ago"
    return "just now"


def _until(seconds: int) -> str:
    return f"{seconds // DAY} days" if seconds >= 2 * DAY else duration(timedelta(seconds=seconds))


def exact(moment: datetime) -> str:
    """The moment in UTC, to the second."""
    return moment.astimezone(UTC).strftime("%Y-%m-%d %H:%M:%S UTC")


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


def size(count_bytes: float) -> str:
    """ "512 B", "3.4 MiB": powers of 1024, three digits at most."""
    for unit in ("B", "KiB", "MiB", "GiB"):
        if count_bytes < 1000:  # noqa: PLR2004 - three digits
            return f"{count_bytes:.0f} {unit}" if unit == "B" or count_bytes >= 100 else f"{count_bytes:.1f} {unit}"  # noqa: PLR2004
        count_bytes /= 1024
    return f"{count_bytes:.1f} TiB"


def kind_title(kind: str) -> str:
    """A kind of operation as a title: "Restore beside", and "Prepare" of a host."""
    return kind.removeprefix("host-").removeprefix("fleet-").replace("-", " ").capitalize()


def subject_title(subject: str) -> str:
    """What an operation is done to: "sales", "host web1", "the fleet"."""
    return title_of(subject)


def subject_address(subject: str) -> str:
    """Where more of the same is found: the operations of an instance, which may be gone, or the page of a host."""
    host = host_of_subject(subject)
    return f"/operations?instance={quote(subject, safe='')}" if host is None else f"/hosts/{host}"
