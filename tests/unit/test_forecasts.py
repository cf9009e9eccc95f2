"""Whether work finishes in a window is judged by what was measured, and by nothing when nothing was."""

from datetime import timedelta

from hypothesis import given
from hypothesis import strategies as st

from appliance.domain.forecast import Fit, forecast

LENGTHS = st.integers(1, 10_000).map(lambda seconds: timedelta(seconds=seconds))
MINUTE = timedelta(minutes=1)


def test_what_was_never_done_is_not_guessed() -> None:
    unknown = forecast([])
    assert unknown.fit(timedelta(days=1)) is Fit.UNKNOWN
    assert "not known" in unknown.explain(timedelta(days=1))


@given(st.lists(LENGTHS, min_size=1), LENGTHS)
def test_yes_means_that_every_run_so_far_would_have_finished(lengths: list[timedelta], available: timedelta) -> None:
    assert (forecast(lengths).fit(available) is Fit.YES) == all(length <= available for length in lengths)


@given(st.lists(LENGTHS, min_size=1), LENGTHS)
def test_no_means_that_at_least_half_of_the_runs_would_not(lengths: list[timedelta], available: timedelta) -> None:
    if forecast(lengths).fit(available) is Fit.NO:
        assert 2 * sum(length > available for length in lengths) >= len(lengths)


def test_one_long_run_makes_it_likely_and_the_explanation_tells_both_figures() -> None:
    known = forecast([2 * MINUTE, 3 * MINUTE, 50 * MINUTE])
    assert known.fit(10 * MINUTE) is Fit.LIKELY
    assert known.explain(10 * MINUTE) == (
        "10 min are left; 3 runs before took 3 min (median), 50 min at most: it will probably finish in the window"
    )
