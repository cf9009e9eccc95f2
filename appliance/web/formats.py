"""Moments and names as people read them; `now` is passed in."""

from datetime import UTC, datetime, timedelta
from urllib.parse import quote

from appliance.domain.host import host_of_subject, title_of
from appliance.domain.measures import DAY, HOUR, MINUTE, duration

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
