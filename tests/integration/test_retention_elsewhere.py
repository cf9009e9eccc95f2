"""An append-only repository does not grow for ever: it is thinned from the appliance's machine, with credentials that no host has."""

import json
import os
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from appliance.errors import CommandFailed, StepFailed
from appliance.operations.kinds.backup import give_up
from appliance.operations.kinds.retention import accept, give_up_elsewhere
from appliance.operations.repositories import retain
from appliance.operations.steps.repositories import lent
from tests.support.kept_crm import KeptCrm, copy_of, give_elsewhere, make_empty, make_kept, now
from tests.support.rest_server import REMOVER, REMOVING, append_only_server, free_port, removing_server

KEEP_TWO = {"last": 2}
RECORD = """{"id": "%s", "crm": "sales", "at": "%s", "snapshots": {}, "bytes_added": 1, "bytes_processed": 1,
"duration_seconds": 1, "restic_version": "0.18.0"}"""
LAST_WEEK, YESTERDAY, TODAY = "2026-01-01T00:00:00+00:00", "2026-01-07T00:00:00+00:00", "2026-01-08T00:00:00+00:00"


@dataclass(frozen=True, kw_only=True)
class Thinned:
    """A CRM with a repository elsewhere that has two doors, and four points in it, two of which the host gave up."""

    crm: KeptCrm
    points: list[str]

    def thin(self) -> str:
        return give_up_elsewhere(self.crm.run("retention", **accept(self.crm.appliance, "sales", {})))

    def as_host(self, verb: str, **spec: Any) -> dict[str, Any]:
        """What a host can ask, with all that it is lent."""
        run = self.crm.run("check")
        with lent(run, "offsite") as repository:
            return run.backup(verb, {"repository": repository, "crm": "sales", **spec})

    def there(self) -> list[str]:
        return [point["id"] for point in self.as_host("points")["points"]]

    def add(self, content: str, *tags: str) -> None:
        """What a host that was broken into can add, by restic itself."""
        run = self.crm.run("check")
        with lent(run, "offsite") as spec:
            argv = ["restic", "--no-cache", "--repo", spec["location"], "--password-file", spec["password_file"], "backup", "--stdin"]
            login = {name: Path(file).read_text().strip() for name, file in spec["credentials"].items()}
            words = [word for tag in tags for word in ("--tag", tag)]
            argv += ["--stdin-filename", "record.json", *words]
            subprocess.run(argv, input=content.encode(), env=os.environ | login, check=True, stdout=subprocess.DEVNULL)


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> tuple[Thinned, int, int]:
    """One to copy, and the ports of its doors."""
    crm = make_kept(make_empty(tmp_path_factory.mktemp("empty")), tmp_path_factory.mktemp("made"))
    port, door = give_elsewhere(crm), free_port()
    points = [crm.back_up_as_the_appliance_does() for _ in range(4)]
    with append_only_server(crm.elsewhere.parent, port=port):
        crm.copy()
    give_up(crm.run("backup", keep=KEEP_TWO))
    secrets = {"RESTIC_REST_USERNAME": REMOVER, "RESTIC_REST_PASSWORD": REMOVING}
    location = f"rest:http://127.0.0.1:{door}/crm/"
    retain(crm.appliance, "offsite", location=location, keep=KEEP_TWO, secrets=secrets, by="Alice", now=now())
    return Thinned(crm=crm, points=points), port, door


@pytest.fixture
def thinned(made: tuple[Thinned, int, int], tmp_path: Path) -> Iterator[Thinned]:
    one, port, door = made
    crm = copy_of(one.crm, tmp_path)
    with append_only_server(crm.elsewhere.parent, port=port), removing_server(crm.elsewhere.parent, port=door):
        yield Thinned(crm=crm, points=one.points)


def test_what_is_not_to_be_kept_goes_though_no_host_could_remove_it(thinned: Thinned) -> None:
    oldest, _, *kept = thinned.points
    with pytest.raises(CommandFailed, match="lets be added only"):
        thinned.as_host("forget", points=[oldest])
    assert thinned.there() == thinned.points[::-1]
    assert thinned.thin() == "offsite: 2 recovery points were given up, 2 are kept"
    assert thinned.there() == kept[::-1]


def test_what_hosts_are_lent_holds_nothing_that_removes(thinned: Thinned) -> None:
    run = thinned.crm.run("check")
    with lent(run, "offsite") as spec:
        lying = [file.read_text() for file in Path(spec["password_file"]).parent.iterdir()]
    assert lying
    assert not any(REMOVING in text for text in lying)


def test_the_last_proven_point_stays(thinned: Thinned) -> None:
    proven = thinned.crm.appliance.store.points.list("sales")[-1].id
    thinned.crm.appliance.store.points.prove(proven, at=now(), proof={})
    known = thinned.crm.appliance.store.repositories.get("offsite").retention or {}
    thinned.crm.appliance.store.repositories.retain("offsite", {**known, "keep": {"last": 1}}, by="Alice", now=now())
    thinned.thin()
    assert thinned.there() == [thinned.points[-1], proven]


def test_points_that_somebody_else_added_push_none_of_ours_out(thinned: Thinned) -> None:
    for number in (9998, 9999):
        name = f"20261123T000000Z-{number}"
        thinned.add(RECORD % (name, now().isoformat()), "crm=sales", f"point={name}", "part=record")
    assert "2 are kept; 2 that this appliance has not made were left alone" in thinned.thin()
    assert set(thinned.points[2:]) < set(thinned.there())


def test_nothing_is_given_up_where_a_point_is_there_twice(thinned: Thinned) -> None:
    thinned.add(RECORD % (thinned.points[-1], LAST_WEEK), "crm=sales", f"point={thinned.points[-1]}", "part=record")
    with pytest.raises(StepFailed, match="twice: one of them was added by somebody else"):
        thinned.thin()
    assert len(thinned.there()) == 5


def test_nothing_is_given_up_where_the_repository_has_shrunk(thinned: Thinned) -> None:
    thinned.crm.lose("offsite", thinned.points[-1])
    with pytest.raises(StepFailed, match="has shrunk: 1 recovery points that nobody gave up are gone"):
        thinned.thin()
    assert len(thinned.there()) == 3


def test_snapshots_of_the_log_that_a_later_one_holds_everything_of_go(thinned: Thinned) -> None:
    for lsn, until in (("0/1000028", LAST_WEEK), ("0/1000030", YESTERDAY), ("0/1000040", TODAY)):
        thinned.add("log", "crm=sales", "part=wal", "log=l", "start=000000010000000000000001", f"lsn={lsn}", f"until={until}")
    thinned.thin()
    left = [tag for snapshot in snapshots(thinned) for tag in snapshot["tags"] if tag.startswith("until=")]
    assert left == [f"until={TODAY}"]


def snapshots(thinned: Thinned) -> list[dict[str, Any]]:
    run = thinned.crm.run("check")
    with lent(run, "offsite") as spec:
        argv = [
            "restic",
            "--no-cache",
            "--json",
            "--repo",
            str(thinned.crm.elsewhere),
            "--password-file",
            spec["password_file"],
            "snapshots",
        ]
        read: list[dict[str, Any]] = json.loads(subprocess.run(argv, check=True, capture_output=True, text=True).stdout)
    return read
