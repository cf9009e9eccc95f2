"""A second real CRM on another machine, by its definition alone; the tests of this file go on where the one before has ended."""

from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from tests.hosts import layers
from tests.hosts.world import World, a_world
from tests.lab.lab import Lab
from tests.support.house import CLONE, wait_for

PRODUCT, OLD, NEW, NAME = "tryton", "7.0.59", "8.0.12", "second"
SEED = (CLONE / "tests" / "support" / "tryton_seed.py").read_text()
ALICE = ["alice", {"password": "alice-Tr1es-it"}, "en"]
RPC = {OLD: "/crm/", NEW: "/crm/rpc/"}


@pytest.fixture(scope="module")
def world(lab: Lab, clean: None) -> Iterator[World]:  # noqa: ARG001 - it needs a clean ground
    """A prepared host on which Tryton 7.0 was installed, with a company, parties, opportunities and a user."""
    golden = layers.prepared(lab, "bookworm")
    with lab.lending() as host, a_world(golden.home) as made:
        made.meet(host("bookworm", golden=golden.layers))
        made.done("install", PRODUCT, "--name", NAME, "--host", "web1", "--release", OLD, "--set", "domain=second.example.org")
        assert "seeded" in made.launch("python -m crmsite -", SEED, crm=NAME)
        yield made


@pytest.fixture(scope="module")
def records(world: World) -> dict[str, Any]:
    return world.records(NAME)


def lets_alice_in(world: World, release: str) -> bool:
    """A log-in as people do it, by a user who was there before; only its own release answers at that place."""
    with world.visitor(NAME) as visitor:
        try:
            answer = visitor.post(RPC[release], json={"id": 1, "method": "common.db.login", "params": ALICE})
        except httpx.HTTPError:
            return False
    said = answer.json() if answer.status_code == httpx.codes.OK else None
    return bool(said["result"] if isinstance(said, dict) else said)


def test_it_is_installed_and_lets_people_in(world: World, records: dict[str, Any]) -> None:
    assert records["counts"] == {"parties": 61, "contact-mechanisms": 120, "opportunities": 20}
    assert lets_alice_in(world, OLD)


def test_an_upgrade_is_rehearsed_and_keeps_every_record_and_password(world: World, records: dict[str, Any]) -> None:
    world.done("backup", NAME)
    world.done("upgrade", NAME, "--to", NEW)
    assert lets_alice_in(world, NEW)
    assert world.records(NAME) == records
    assert world.hosts["web1"].run("ls /srv/crm").stdout.split() == [NAME]


def test_it_answers_again_after_a_power_cut(world: World, records: dict[str, Any]) -> None:
    world.hosts["web1"].power_cut()
    world.hosts["web1"].boot()
    wait_for(lambda: lets_alice_in(world, NEW), seconds=120)
    assert world.records(NAME) == records


def test_a_rollback_brings_the_old_series_back(world: World, records: dict[str, Any]) -> None:
    world.done("rollback", NAME)
    assert lets_alice_in(world, OLD)
    assert world.records(NAME) == records
