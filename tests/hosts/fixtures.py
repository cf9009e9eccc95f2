"""A pytest plugin: golden layers, and scenarios that are played side by side."""

from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import Future, ThreadPoolExecutor

import pytest

from tests.hosts import layers
from tests.hosts.layers import Golden
from tests.hosts.stage import Scenario, play
from tests.hosts.world import remove_leftovers
from tests.lab.lab import Lab

SIDE_BY_SIDE = 3
Played = Mapping[Scenario, "Future[None]"]


@pytest.fixture(scope="session")
def clean() -> Iterator[None]:
    """Nothing of a run before, and nothing afterwards."""
    remove_leftovers()
    yield
    remove_leftovers()


@pytest.fixture(scope="session")
def golden_crm(lab: Lab, clean: None) -> Callable[[str], Golden]:  # noqa: ARG001 - what it makes needs a clean ground
    """A host with a CRM, by release of Debian."""
    return lambda release: layers.with_crm(lab, release)


@pytest.fixture(scope="session")
def played(request: pytest.FixtureRequest, lab: Lab, clean: None) -> Iterator[Played]:  # noqa: ARG001 - as above
    """Every scenario that was chosen to run, begun."""
    chosen = dict.fromkeys(found for item in request.session.items for found in _scenarios_of(item))
    pool = ThreadPoolExecutor(SIDE_BY_SIDE)
    try:
        yield {scenario: pool.submit(play, lab, scenario) for scenario in chosen}
    finally:
        pool.shutdown(cancel_futures=True)


def _scenarios_of(item: pytest.Item) -> Iterator[Scenario]:
    chosen = getattr(item, "callspec", None)
    if chosen is not None and "scenario" in chosen.params:
        yield chosen.params["scenario"]
