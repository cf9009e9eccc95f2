"""The way from one release to another is what the vendor allows, and a refusal says what would work."""

from itertools import pairwise

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from appliance.domain.versions import Move, in_order, itinerary, newest, order, patches, plan, reachable, waypoints
from appliance.errors import InvalidRequest, NotFound
from appliance.products.catalogue import open_catalogue

CREME = open_catalogue().get("creme").definition
VERSIONS = [release.version for release in CREME.releases]
RELEASES = st.sampled_from(VERSIONS)


def test_within_a_series_it_is_a_patch_that_code_alone_can_undo() -> None:
    path = plan(CREME, "2.7", "2.7.13")

    assert (path.move, path.reversible, path.hop) == (Move.PATCH, "code", None)


def test_to_the_next_series_it_is_an_upgrade_with_checks_before_and_after() -> None:
    path = plan(CREME, "2.7.13", "2.8.6")

    assert (path.move, path.reversible) == (Move.UPGRADE, "data")
    assert path.pre_checks
    assert path.post_checks


def test_no_single_move_leads_over_a_series() -> None:
    with pytest.raises(InvalidRequest, match=r"cannot go from 2\.6\.23 to 2\.8\.6 at once\. Nothing was changed"):
        plan(CREME, "2.6.23", "2.8.6")


def test_one_operation_goes_over_the_newest_release_of_each_series_between() -> None:
    hops = itinerary(CREME, "2.6.23", "2.8.6")

    assert [(hop.source.version, hop.target.version) for hop in hops] == [("2.6.23", "2.7.13"), ("2.7.13", "2.8.6")]
    assert itinerary(CREME, "2.7.13", "2.8.6") == (plan(CREME, "2.7.13", "2.8.6"),)


def test_a_jump_without_any_way_says_so() -> None:
    without_hops = CREME.model_copy(update={"upgrade": CREME.upgrade.model_copy(update={"hops": ()})})

    with pytest.raises(InvalidRequest, match="no way over other series is known"):
        itinerary(without_hops, "2.6.23", "2.8.6")


def test_the_same_release_is_refused() -> None:
    with pytest.raises(InvalidRequest, match=r"already at 2\.8\.6\. Nothing was changed"):
        plan(CREME, "2.8.6", "2.8.6")


@pytest.mark.parametrize(("newer", "older"), [("2.8.6", "2.8.5"), ("2.8", "2.7.13"), ("2.7.13", "2.6.20")])
def test_a_downgrade_is_refused_and_the_ways_back_are_named(newer: str, older: str) -> None:
    with pytest.raises(InvalidRequest, match="roll back the last upgrade or restore a recovery point"):
        plan(CREME, newer, older)


def test_an_unknown_release_is_not_found() -> None:
    with pytest.raises(NotFound, match="Creme CRM 9 is not known here"):
        plan(CREME, "2.8.6", "9")


def test_the_tenth_patch_comes_after_the_ninth() -> None:
    assert order("2.7.10") > order("2.7.9")
    assert [release.version for release in patches(CREME, "2.7.8")][:3] == ["2.7.9", "2.7.10", "2.7.11"]
    assert newest(CREME, "2.7").version == "2.7.13"


def test_debian_versions_have_an_order_too() -> None:
    assert order("6.0.29-2+deb12u4") > order("6.0.29-2+deb12u3") > order("6.0.28-1")


@given(source=RELEASES, data=st.data())
def test_every_reachable_release_can_be_planned(source: str, data: st.DataObject) -> None:
    targets = reachable(CREME, source)
    assume(targets)
    target = data.draw(st.sampled_from(targets))

    hops = itinerary(CREME, source, target.version)
    assert (hops[0].source.version, hops[-1].target) == (source, target)
    assert all(before.target == after.source for before, after in pairwise(hops))
    assert order(target.version) > order(source)


@given(source=RELEASES, target=RELEASES)
def test_every_other_release_is_refused_with_a_way_out(source: str, target: str) -> None:
    assume(target not in {release.version for release in reachable(CREME, source)})

    with pytest.raises(InvalidRequest, match="Nothing was changed"):
        itinerary(CREME, source, target)


@given(source=RELEASES, target=RELEASES)
def test_every_leg_of_a_named_way_can_be_planned(source: str, target: str) -> None:
    legs = [source, *(release.version for release in waypoints(CREME, source, target))]

    assert all(plan(CREME, start, end) for start, end in pairwise(legs))
    assert (len(legs) > 1) == (order(target) > order(source))


@given(st.permutations(CREME.releases))
def test_the_order_in_the_file_does_not_matter(releases: list[object]) -> None:
    shuffled = CREME.model_copy(update={"releases": tuple(releases)})

    assert in_order(shuffled) == in_order(CREME)
    assert plan(shuffled, "2.7.13", "2.8.6").hop == plan(CREME, "2.7.13", "2.8.6").hop
