import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.far_machine import FarMachine, put_in_the_way
from tests.support.web_world import Browser, PanelWorld, make_world


@pytest.fixture(scope="session")
def lasting_world() -> Iterator[PanelWorld]:
    in_memory = Path("/dev/shm")  # the store waits for the disk at each write
    with tempfile.TemporaryDirectory(dir=in_memory if in_memory.is_dir() else None) as directory:
        yield make_world(Path(directory))


@pytest.fixture
def world(lasting_world: PanelWorld) -> PanelWorld:
    lasting_world.reset()
    return lasting_world


@pytest.fixture
def machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> FarMachine:
    return put_in_the_way(tmp_path, monkeypatch)


@pytest.fixture
def alice(world: PanelWorld) -> Browser:
    return world.browser_of("Alice")


@pytest.fixture
def oscar(world: PanelWorld) -> Browser:
    return world.browser_of("Oscar")


@pytest.fixture
def victor(world: PanelWorld) -> Browser:
    return world.browser_of("Victor")


@pytest.fixture
def mallory(world: PanelWorld) -> Browser:
    return world.browser_of("Mallory")
