"""What acceptance and browser tests share: one house, and one real CRM in it. And what all do: no example is too slow on a busy machine."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import hypothesis
import pytest

from appliance.domain.operation import OperationStatus
from tests.support.house import House, build, tear_down
from tests.support.killing import carry_with_kills

pytest_plugins = ["tests.lab.fixtures", "tests.hosts.fixtures"]

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
    built = build()
    yield built
    built.watch.stop()
    tear_down()


@pytest.fixture(scope="session")
def crm(house: House) -> Crm:
    """Creme CRM 2.7.13 with three hundred records."""
    ended, hit = carry_with_kills(house, "install", "trial", {"product": "creme", "release": OLD}, seed=1)
    assert ended.status == OperationStatus.SUCCEEDED, ended.cause
    house.seed("trial")
    port = house.appliance.store.instances.get("trial").port
    return Crm(house=house, name="trial", port=port, records=house.records("trial"), hit_while_installing=hit)
