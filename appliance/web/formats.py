"""Moments, measures and names as people read them, in the language of the request; `now` is passed in."""

from datetime import UTC, date, datetime, timedelta
from urllib.parse import quote

from babel.dates import format_date, format_datetime
from babel.numbers import format_decimal, get_decimal_symbol
from babel.units import format_unit

from appliance.domain import measures, transfer
from appliance.domain.host import FLEET, host_of_subject
from appliance.domain.measures import DAY, HOUR, MINUTE
from appliance.domain.transfer import Transfer
from appliance.web.languages import ENGLISH, gettext, language, locale, looked_up, looked_up_in, ngettext

JUST_NOW_SECONDS = 10
WHOLE = "#,##0"
REHEARSED = "Rehearsal: "
"""Begins the steps of an upgrade that are tried before."""


def ago(moment: datetime, now: datetime) -> str:
    """How long ago, in the largest unit that fits, or how long until then: "3 minutes ago", "in 5 days"."""
    seconds = int((now - moment).total_seconds())
    if -JUST_NOW_SECONDS < seconds < JUST_NOW_SECONDS:
        return gettext("just now")
    if seconds < 0:
        return _until(-seconds)
    if seconds >= DAY:
        return ngettext("%(num)s day ago", "%(num)s days ago", seconds // DAY)
    if seconds >= HOUR:
        return ngettext("%(num)s hour ago", "%(num)s hours ago", seconds // HOUR)
    if seconds >= MINUTE:
        return ngettext("%(num)s minute ago", "%(num)s minutes ago", seconds // MINUTE)
    return ngettext("%(num)s second ago", "%(num)s seconds ago", seconds)


def _until(seconds: int) -> str:
    if seconds >= 2 * DAY:
        return ngettext("in %(num)s day", "in %(num)s days", seconds // DAY)
    return gettext("in %(length)s", length=duration(timedelta(seconds=seconds)))


def exact(moment: datetime) -> str:
    """The moment in UTC, to the second."""
    utc = moment.astimezone(UTC)
    if language() == ENGLISH:
        return utc.strftime("%Y-%m-%d %H:%M:%S UTC")
    return f"{format_datetime(utc, 'medium', locale=locale())} UTC"


def day(date_: date) -> str:
    """A date."""
    return date_.isoformat() if language() == ENGLISH else format_date(date_, "medium", locale=locale())


def weekdays() -> list[str]:
    """Their short names, from Monday on, as a calendar's columns are headed."""
    names = locale().days["stand-alone"]["short"]
    return [names[number] for number in range(7)]


def lasting(seconds: float) -> str:
    """A length in seconds, as `duration` tells it."""
    return duration(timedelta(seconds=seconds))


def duration(length: timedelta) -> str:
    """ "0.4 s", "12 s", "3 min 20 s", "2 h 5 min"; in the units of the language."""
    if language() == ENGLISH:
        return measures.duration(length)
    seconds = max(length.total_seconds(), 0)
    if seconds < 1:
        return _unit(round(seconds, 1), "second")
    minutes, whole = divmod(int(seconds), MINUTE)
    if not minutes:
        return _unit(whole, "second")
    if minutes < MINUTE:
        return f"{_unit(minutes, 'minute')} {_unit(whole, 'second')}"
    return f"{_unit(minutes // MINUTE, 'hour')} {_unit(minutes % MINUTE, 'minute')}"


def roughly(length: timedelta) -> str:
    """The same, and whole days where there are two or more: "26 h 0 min", "12 days"."""
    days = length // timedelta(days=1)
    return ngettext("%(num)s day", "%(num)s days", days) if days > 1 else duration(length)


def _unit(count: float, unit: str) -> str:
    return format_unit(count, f"duration-{unit}", length="short", locale=locale())


def seconds_told(seconds: float) -> str:
    """A time below a minute, as answers take: "42 ms", "1.2 s"."""
    figure, unit = (f"{seconds * 1000:.0f}", "ms") if seconds < 1 else (f"{seconds:.1f}", "s")
    return f"{_localized(figure)} {unit}"


def size(count_bytes: float) -> str:
    """ "512 B", "3.4 MiB": powers of 1024, three digits at most."""
    figure, unit = measures.size(count_bytes).split(" ")
    return f"{_localized(figure)} {unit}"


def percent(ratio: float | None) -> str:
    """A share of time, never rounded up to what it was not: 99.996 % is not 100 %."""
    if ratio is None:
        return measures.percent(ratio)
    return per_cent(measures.percent(ratio).removesuffix(" %"))


def per_cent(figure: str) -> str:
    """A figure, in digits, with the per cent sign: "99.5 %"; Italian and Estonian leave no space before it."""
    sign = " %" if language() == ENGLISH else locale().percent_formats[None].suffix[0]
    return f"{_localized(figure)}{sign}"


def count(number: int) -> str:
    """A number of things, in groups of three digits where the language wants them."""
    return format_decimal(number, WHOLE, locale=locale())


def _localized(figure: str) -> str:
    """Plain digits with a decimal point, with that of the language."""
    return figure.replace(".", get_decimal_symbol(locale()))


def transferred(of: Transfer) -> str:
    """ "database: 412 MiB of 1.2 GiB, 85 MiB/s, 9 s left"; what is not known is left out."""
    if language() == ENGLISH:
        return transfer.transferred(of)
    done = size(of.bytes_done)
    if of.bytes_total:
        done = gettext("%(done)s of %(total)s", done=done, total=size(of.bytes_total))
    said = [f"{looked_up(of.stage)}: {done}"]
    if of.bytes_per_second:
        said.append(f"{size(of.bytes_per_second)}/s")
    if of.seconds_left:
        said.append(gettext("%(length)s left", length=duration(timedelta(seconds=of.seconds_left))))
    return ", ".join(said)


def kind_title(kind: str) -> str:
    """A kind of operation as a title: "Restore beside", and "Prepare" of a host."""
    return looked_up_in("operation", kind.removeprefix("host-").removeprefix("fleet-").replace("-", " ").capitalize())


def word(name: object) -> str:
    """A state, a role or the like, as a title: "Rolled back"."""
    return looked_up(str(name).replace("_", " ").capitalize())


def step_title(title: str) -> str:
    """A step of an operation; one of a rehearsal says so."""
    inner = title.removeprefix(REHEARSED)
    return looked_up(inner) if inner == title else gettext("Rehearsal: %(title)s", title=looked_up(inner))


def subject_title(subject: str) -> str:
    """What an operation is done to: "sales", "host web1", "the fleet"."""
    if subject == FLEET:
        return gettext("the fleet")
    host = host_of_subject(subject)
    return subject if host is None else gettext("host %(name)s", name=host)


def subject_address(subject: str) -> str:
    """Where more of the same is found: the operations of an instance, which may be gone, or the page of a host."""
    host = host_of_subject(subject)
    return f"/operations?instance={quote(subject, safe='')}" if host is None else f"/hosts/{host}"
