"""What people ask for as a maintenance window is read as they meant it, or refused by its field."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest

from appliance.domain.window import Blackout, Window
from appliance.domain.window_request import WindowRequest, read_window
from appliance.errors import InvalidRequest

NOW = datetime(2026, 11, 22, tzinfo=UTC)
ASKED = WindowRequest(days="SUN", begin="02:30", minutes=180, time_zone="Europe/Berlin", blackouts=["2026-12-24", "2026-12-31..2027-01-02"])


def test_a_window_is_read_as_it_was_typed_and_shown_as_it_was_read() -> None:
    read = read_window(ASKED, NOW)
    christmas = Blackout(first=date(2026, 12, 24), last=date(2026, 12, 24))
    new_year = Blackout(first=date(2026, 12, 31), last=date(2027, 1, 2))
    length = timedelta(hours=3)
    assert read == Window(days="SUN", begin="02:30", length=length, time_zone="Europe/Berlin", blackouts=(christmas, new_year))
    assert str(read) == "SUN 02:30, 180 min, Europe/Berlin, not on 2026-12-24, 2026-12-31..2027-01-02"


@pytest.mark.parametrize(
    ("field", "typed", "said"),
    [
        ("days", "SUNDAY", "'SUNDAY' does not say on which days"),
        ("days", "FRI-MON", "'FRI-MON' does not say on which days"),
        ("days", "1 2", "Days are one word"),
        ("days", "SUN," * 40, "Days are one word"),
        ("days", "31 2 *", "does not say on which days"),
        ("begin", "2:00", "'2:00' is not a time of day"),
        ("begin", "24:00", "'24:00' is not a time of day"),
        ("minutes", 4, "A window is 5 to 1440 minutes long"),
        ("minutes", 1441, "A window is 5 to 1440 minutes long"),
        ("minutes", 10**18, "A window is 5 to 1440 minutes long"),
        ("every", 4, "Work begins anew after 5 minutes at the soonest"),
        ("every", 181, "and before the window closes"),
        ("every", -60, "at the soonest"),
        ("jitter", 91, "up to half of the time that there is, 90 minutes"),
        ("jitter", -1, "up to half"),
        ("time_zone", "Berlin", "'Berlin' is not a time zone"),
        ("time_zone", "../../etc/passwd", "is not a time zone"),
        ("time_zone", "", "'' is not a time zone"),
        ("blackouts", ["Christmas"], "'Christmas' is neither a date"),
        ("blackouts", ["2026-02-02..2026-02-01"], "The blackout 2026-02-02..2026-02-01 ends before it begins"),
    ],
)
def test_what_cannot_be_is_refused_by_its_field(field: str, typed: Any, said: str) -> None:
    with pytest.raises(InvalidRequest, match="Nothing was changed") as refused:
        read_window(replace(ASKED, **{field: typed}), NOW)
    assert (refused.value.field, said in str(refused.value)) == (field, True)


def test_a_window_that_never_comes_is_refused() -> None:
    with pytest.raises(InvalidRequest, match=r"never comes\. Nothing was changed") as refused:
        read_window(replace(ASKED, blackouts=["2000-01-01..2100-01-01"]), NOW)
    assert refused.value.field == "days"


def test_work_may_begin_anew_in_a_window_and_a_little_later() -> None:
    asked = replace(ASKED, blackouts=[], every=60, jitter=20)
    delays = {read_window(asked, NOW).delay for _ in range(60)}
    assert len(delays) > 5
    assert timedelta() <= min(delays) <= max(delays) <= timedelta(minutes=20)
    read = replace(read_window(asked, NOW), delay=timedelta(minutes=7))
    assert (read.every, str(read)) == (timedelta(hours=1), "SUN 02:30, 180 min, each 60 min, 7 min later, Europe/Berlin")
