"""Adoption in words, for the command line, the panel and the digest."""

from datetime import UTC, date, datetime, timedelta

from appliance.domain.adoption import NO_DEPARTMENT, Adoption

SHOWN_DAYS = 28
WITHOUT = "without a department"


def adoption_told(adoption: Adoption, now: datetime) -> list[tuple[str, str]]:
    """What is known, each with what it is about. Nothing is rounded up."""
    told = [("problem", f"{adoption.problem} What follows may be old.")] if adoption.problem else []
    if adoption.asked_at is None:
        return told
    told += [
        ("records", f"{adoption.records:,}"),
        ("untouched", f"{untouched_told(adoption)} of them for 90 days"),
        ("newest change", change_told(adoption)),
    ]
    shown = [name for name in (*adoption.departments, NO_DEPARTMENT) if name or adoption.last_active(name)]
    return told + [(name or WITHOUT, department_told(adoption, name, now)) for name in shown]


def untouched_told(adoption: Adoption) -> str:
    """The share, in whole per cent.

    >>> untouched_told(Adoption(instance="a", tried_at=datetime(2026, 1, 1, tzinfo=UTC), records=300, untouched=299))
    '99 %'
    """
    return f"{100 * adoption.untouched // adoption.records if adoption.records else 0} %"


def change_told(adoption: Adoption) -> str:
    """When a record was changed last."""
    return f"{adoption.newest_change.astimezone(UTC):%Y-%m-%d %H:%M} UTC" if adoption.newest_change else "never"


def department_told(adoption: Adoption, department: str, now: datetime) -> str:
    """When somebody was active last, and how many people at most on a day of the last four weeks."""
    last = adoption.last_active(department)
    if last is None:
        return "nobody was seen to change anything"
    most = max(adoption.active_on(day, department) for day in shown_days(now))
    people = f", up to {most} a day" if most else ""
    return f"last on {last.isoformat()}{people}"


def shown_days(now: datetime) -> list[date]:
    """The days that are shown, oldest first, in UTC."""
    today = now.astimezone(UTC).date()
    return [today - timedelta(days=ago) for ago in reversed(range(SHOWN_DAYS))]
