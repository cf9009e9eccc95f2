"""What the steps around a deployment decide by themselves."""

from typing import NoReturn

import pytest

from appliance.errors import ApplianceError, Cancelled, ProbeFailed, StepFailed
from appliance.operations.steps.deploying import at_once, compare_records
from appliance.operations.steps.settling import told_differences


def raising(error: ApplianceError) -> NoReturn:
    raise error


def test_calls_made_at_once_give_their_results_in_order() -> None:
    assert at_once(lambda: 1, lambda: 2, lambda: 3) == [1, 2, 3]


def test_of_calls_made_at_once_a_cancelled_one_says_why_the_others_failed() -> None:
    with pytest.raises(Cancelled):
        at_once(lambda: raising(ProbeFailed("killed")), lambda: raising(Cancelled("Somebody asked to stop.")))


def test_every_count_and_checksum_must_be_what_it_was() -> None:
    before = {"counts": {"contacts": 2}, "checksums": {"contacts": "a"}}
    assert compare_records(before, before) == "2 contacts"
    with pytest.raises(StepFailed, match="contacts: a before, b after"):
        compare_records(before, {"counts": {"contacts": 2}, "checksums": {"contacts": "b"}})


def test_what_going_back_would_leave_behind_is_told_by_counts_and_by_what_changed() -> None:
    before = {"counts": {"contacts": 2, "deals": 5, "firms": 1}, "checksums": {"contacts": "a", "deals": "b", "firms": "c"}}
    after = {"counts": {"contacts": 16, "deals": 5, "firms": 1}, "checksums": {"contacts": "x", "deals": "y", "firms": "c"}}
    assert told_differences(before, after) == "+14 contacts, changed deals"
    assert told_differences(before, before) == "no counted record differs"
