"""Parts of a CRM on another machine come back without the rest; the tests of this file go on where the one before has ended."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.hosts.stage import a_stage
from tests.hosts.world import CRM, World
from tests.lab.lab import Lab
from tests.support.runbooks import commands_in

OLD = "2.7.13"
FILE = "documents/offer.txt"


@pytest.fixture(scope="module")
def world(lab: Lab, clean: None) -> Iterator[World]:  # noqa: ARG001 - it needs a clean ground
    """A host with a CRM that is full of records, and a recovery point that has a file among its uploads."""
    with a_stage(lab) as stage:
        made = stage.open(stage.crm())
        made.serves_again(OLD)
        write(made, "as it was")
        made.done("backup", CRM)
        yield made


def uploaded(world: World) -> str:
    deployment = world.appliance.store.instances.get(CRM).deployment
    assert deployment is not None
    return f"{deployment.files}/{FILE}"


def write(world: World, text: str) -> None:
    """As the CRM itself would."""
    file = uploaded(world)
    world.hosts["web1"].run(
        f"install -d -o crm-{CRM} -g crm-{CRM} {Path(file).parent}; printf '{text}' | runuser -u crm-{CRM} -- tee {file}"
    )


def content(world: World, file: str) -> str:
    return world.hosts["web1"].run(["cat", file]).stdout


def typed(world: World, heading: str, words: dict[str, str]) -> list[str]:
    """Type the commands of the runbook, and give what each has said."""
    commands = commands_in("restore.md", heading, {"NAME": CRM, **words})
    return [" ".join(world.done(*command.split()[1:]).split()) for command in commands]


def test_a_file_is_looked_up_brought_out_and_put_back_as_the_runbook_says(world: World, tmp_path: Path) -> None:
    write(world, "overwritten by mistake")
    listed, _, _, beside, put = typed(world, "One file, or a folder", {"FILE": FILE, "COPY": str(tmp_path / "copy")})
    assert "documents/" in listed
    assert (tmp_path / "copy").read_text() == "as it was"
    assert (tmp_path / "copy.zip").read_bytes()[:2] == b"PK"
    (restored,) = world.hosts["web1"].run(f"ls -d /srv/crm/{CRM}/restored/*").stdout.split()
    assert restored in beside
    assert content(world, f"{restored}/{FILE}") == "as it was"
    assert content(world, uploaded(world)) == "as it was"
    (kept,) = world.hosts["web1"].run(f"ls -d /srv/crm/{CRM}/replaced/*").stdout.split()
    assert kept in put
    assert content(world, f"{kept}/{FILE}") == "overwritten by mistake"
    assert world.hosts["web1"].run(["stat", "-c", "%U", uploaded(world)]).stdout.strip() == f"crm-{CRM}"
    assert world.serves(OLD)


def test_a_table_comes_back_beside_the_live_one(world: World) -> None:
    newest, records = world.appliance.store.points.list(CRM)[0], world.records()
    listed, said = typed(world, "One table, to copy rows back with SQL", {"TABLE": "persons_contact", "POINT": newest.id})
    assert "persons_contact" in listed
    assert f"restored_{newest.at:%Y%m%d_%H%M}.persons_contact ({records['counts']['contacts']} rows)" in said
    assert world.records() == records


def test_only_the_database_comes_back_and_then_only_the_files(world: World) -> None:
    point, before = world.appliance.store.points.list(CRM)[0].id, world.records()
    write(world, "uploaded since")
    world.seed()
    assert world.records() != before
    foreseen = " ".join(world.done("restore", CRM, "--to", point, "--preview").split())
    assert "+100 contacts" in foreseen
    assert "1 become what they were" in foreseen
    world.done("restore", CRM, "--to", point, "--only", "database", "--yes")
    assert (world.records(), content(world, uploaded(world))) == (before, "uploaded since")
    world.done("restore", CRM, "--to", point, "--only", "files", "--no-safety-backup", "--yes")
    assert (world.records(), content(world, uploaded(world))) == (before, "as it was")
    assert world.serves(OLD)


def test_what_was_lent_to_the_host_is_gone(world: World) -> None:
    assert world.hosts["web1"].run("find /run -path '*secrets*' -type f 2>/dev/null; true").stdout.count("password") == 0
