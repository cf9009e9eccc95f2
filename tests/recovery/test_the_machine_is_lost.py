"""A machine with its appliance and CRMs is gone: a bare one, the recovery kit and a repository elsewhere bring all of it back."""

import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from appliance.wiring import open_appliance
from tests.conftest import Crm
from tests.recovery.conftest import add_repository
from tests.support.house import lay_bare, wait_for
from tests.support.rest_server import append_only_server

OFFSITE = "safe"
LONGEST_SHIPPING_SECONDS = 12
"""What lies there after so long was begun after what it is to hold was written."""


@pytest.fixture(scope="module")
def port(folder: Path) -> Iterator[int]:
    with append_only_server(folder / "repository") as served:
        yield served


@pytest.fixture(scope="module")
def kit(crm: Crm, folder: Path, port: int) -> Path:
    """The recovery kit of an appliance whose CRM was backed up elsewhere."""
    add_repository(crm.house, OFFSITE, folder=folder, port=port)
    early = crm.house.command("recovery-kit")
    assert (early.returncode, "no backup has reached one yet" in " ".join(early.stderr.split())) == (5, True), early.stderr
    crm.house.done("archive", crm.name)
    crm.house.done("backup", crm.name)
    crm.house.supervisorctl("stop", f"crm-{crm.name}-archive")
    crm.house.make_opening_cheap_elsewhere(OFFSITE, folder / "repository" / "crm")
    crm.house.supervisorctl("start", f"crm-{crm.name}-archive")
    crm.house.done("recovery-kit", str(folder / "kit.toml"))
    return folder / "kit.toml"


@pytest.fixture(scope="module")
def records(crm: Crm, kit: Path) -> dict[str, Any]:
    """What the CRM holds, a part of which was written after its last backup and lies elsewhere by its log alone."""
    assert kit.exists()
    crm.house.seed(crm.name)
    committed_at = time.time()
    snapshots = kit.with_name("repository") / "crm" / "snapshots"

    def lies_there() -> bool:
        crm.house.sql(crm.name, "select pg_switch_wal()")
        return max(file.stat().st_mtime for file in snapshots.iterdir()) > committed_at + LONGEST_SHIPPING_SECONDS

    wait_for(lies_there, seconds=180)
    return crm.house.records(crm.name)


def test_a_drill_from_there_proves_the_kit_too(crm: Crm, kit: Path) -> None:
    assert kit.stat().st_mode & 0o777 == 0o600
    crm.house.done("drill", crm.name, "--from", OFFSITE)
    assert crm.house.appliance.store.repositories.get(OFFSITE).kit_proven_at is not None


def test_nothing_is_done_where_nothing_was_lost(crm: Crm, kit: Path, records: dict[str, Any]) -> None:
    assert "nothing of this appliance was lost" in crm.house.done("up", "--recover", str(kit))
    assert crm.house.records(crm.name) == records


def test_a_kit_that_opens_nothing_leaves_the_machine_bare(crm: Crm, kit: Path, folder: Path) -> None:
    crm.house.watch.stop()
    settings = lay_bare(crm.house.plot)
    text = kit.read_text()
    wrong = {"key": text.replace('state_key = "', 'state_key = "x'), "password": text.replace('\npassword = "', '\npassword = "x')}
    for name, content in wrong.items():
        (folder / name).write_text(content)
        ended = crm.house.command("up", "--recover", str(folder / name))
        assert (ended.returncode, "No repository of the kit gave the state. Nothing was changed." in said(ended.stdout)) == (1, True), name
    missing = crm.house.command("up", "--recover", str(folder / "missing"))
    assert (missing.returncode, "cannot be read" in missing.stdout) == (2, True), missing.stdout
    assert not settings.database_file.exists()


def test_a_bare_machine_brings_everything_back(crm: Crm, kit: Path, records: dict[str, Any]) -> None:
    told = crm.house.done("up", "--recover", str(kit))
    assert f"{crm.name} is back" in told
    crm.house.appliance = open_appliance(crm.house.settings)
    instance = crm.house.appliance.store.instances.get(crm.name)
    assert instance.port == crm.port
    assert crm.house.records(crm.name) == records
    assert crm.house.get("/", port=crm.port)[0] == 200
    assert instance.archive is not None
    assert "one-time password" not in told.lower()


def test_its_recovery_points_are_read_from_there_and_new_ones_are_made_here(crm: Crm) -> None:
    points = crm.house.appliance.store.points.list(crm.name)
    assert {point.repository for point in points} == {OFFSITE}
    crm.house.done("drill", crm.name, "--to", points[-1].id)
    crm.house.done("backup", crm.name)
    assert crm.house.appliance.store.points.list(crm.name)[0].repository == "local"


def test_run_again_it_finds_everything_done(crm: Crm, kit: Path) -> None:
    again = crm.house.done("up", "--recover", str(kit))
    assert again.count("as before") >= 2


def said(text: str) -> str:
    return " ".join(text.split())
