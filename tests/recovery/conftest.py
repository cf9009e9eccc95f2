"""A house of its own for what is kept and brought back, so that these tests run beside those of the first house."""

from collections.abc import Iterator

import pytest

from tests.conftest import OLD, Crm, filled
from tests.support.house import RESCUE, House, a_house


@pytest.fixture(scope="session")
def house() -> Iterator[House]:
    """A complete appliance."""
    with a_house(RESCUE) as built:
        yield built


@pytest.fixture(scope="session")
def crm(house: House) -> Crm:
    """Creme CRM 2.7.13 with three hundred records."""
    house.done("install", "creme", "--name", house.plot.prefix, "--release", OLD)
    return filled(house)
