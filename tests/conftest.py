"""What acceptance and browser tests share: one house, and one real CRM in it. And what all do: no example is too slow on a busy machine."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import hypothesis
import pytest

from appliance.domain.operation import OperationStatus
from tests.support.house import TRIAL, House, a_house
from tests.support.killing import carry_with_kills

pytest_plugins = ["tests.lab.fixtures", "tests.hosts.fixtures", "tests.faults.counting"]

hypothesis.settings.register_profile("shared", deadline=None)
hypothesis.settings.load_profile("shared")

OLD, NEW = "2.7.13", "2.8.6"


@dataclass(frozen=True, kw_only=True)
class Crm:
    """A real CRM that was installed while its worker was killed in every step, with records in it."""

    house: House
    name: str
    port: int
    records: dict[str, Any]
    hit_while_installing: list[str]


@pytest.fixture(scope="session")
def house() -> Iterator[House]:
    """A complete appliance."""
    with a_house(TRIAL) as built:
        yield built


@pytest.fixture(scope="session")
def crm(house: House) -> Crm:
    """Creme CRM 2.7.13 with three hundred records; its worker was killed in every step of the installation."""
    name = house.plot.prefix
    ended, hit = carry_with_kills(house, "install", name, {"product": "creme", "release": OLD}, seed=1)
    assert ended.status == OperationStatus.SUCCEEDED, ended.cause
    return filled(house, hit=hit)


def filled(house: House, *, hit: Sequence[str] = ()) -> Crm:
    """The CRM of the house, with three hundred records from now on."""
    name = house.plot.prefix
    house.seed(name)
    port = house.appliance.store.instances.get(name).port
    return Crm(house=house, name=name, port=port, records=house.records(name), hit_while_installing=list(hit))
