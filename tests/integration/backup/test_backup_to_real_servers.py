"""Repositories by SFTP on OpenSSH's own server, and by S3 on rclone's: the way there and back, and what each refuses."""

import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from tests.support.backup_world import World, receiving
from tests.support.house import wait_for
from tests.support.s3_server import BUCKET, KEY_ID, SECRET, s3_server
from tests.support.ssh_server import SshServer, known_host, make_key, ssh_server

NO_CRM = {"crm": "no_crm", "deadline_seconds": 20}
"""What the appliance asks first, to see whether a place answers."""


@dataclass(frozen=True, kw_only=True)
class Servers:
    """Two machines elsewhere, and what a host is told of a repository on each."""

    sftp: SshServer
    s3_port: int
    folder: Path

    def both(self, world: World, name: str) -> dict[str, dict[str, Any]]:
        """A repository of that name on each."""
        return {"sftp": self.by_sftp(world, name), "s3": self.by_s3(world, name)}

    def by_sftp(self, world: World, name: str, **other: str) -> dict[str, Any]:
        login = {"key_file": str(self.sftp.key_file), "known_hosts": str(self.sftp.known_hosts)} | other
        return self._spec(world, f"sftp://root@127.0.0.1:{self.sftp.port}/{self.folder}/sftp/{name}", **login)

    def by_s3(self, world: World, name: str, *, bucket: str = BUCKET, **other: str) -> dict[str, Any]:
        credentials = {}
        for variable, value in ({"AWS_ACCESS_KEY_ID": KEY_ID, "AWS_SECRET_ACCESS_KEY": SECRET} | other).items():
            (world.directory / variable).write_text(value)
            credentials[variable] = str(world.directory / variable)
        return self._spec(world, f"s3:http://127.0.0.1:{self.s3_port}/{bucket}/{name}", credentials=credentials)

    def _spec(self, world: World, location: str, **more: Any) -> dict[str, Any]:
        return {**world.repository, "location": location, "lock_directory": str(world.directory / "leases"), **more}


@pytest.fixture(scope="module")
def servers(tmp_path_factory: pytest.TempPathFactory, empty_repository: Path) -> Iterator[Servers]:
    """Two empty repositories are on each already, whose keys cost little."""
    folder = tmp_path_factory.mktemp("elsewhere")
    for name in ("copied", "made"):
        shutil.copytree(empty_repository, folder / "sftp" / name)
        shutil.copytree(empty_repository, folder / "s3" / BUCKET / name)
    with ssh_server(folder / "ssh") as sftp, s3_server(folder / "s3") as s3_port:
        yield Servers(sftp=sftp, s3_port=s3_port, folder=folder)


def test_a_point_and_the_log_since_come_back_from_there(world: World, servers: Servers) -> None:
    places = servers.both(world, "copied")
    assert world.backup("p1").code == 0
    with receiving(world, places):
        spool = {"spool": str(world.directory / "spool"), "database": world.cluster.spec("tb_live")}
        assert world.run("base", crm="demo", base="b1", **spool).code == 0
        for there in places.values():
            assert world.run("copy", repository=there, source=world.repository).last.get("snapshots", 0) >= 5
        committed = datetime.now(UTC)
        for there in places.values():
            wait_for(partial(lambda there: reaches(world, there) > committed, there), seconds=60)
    shutil.rmtree(world.location)
    for kind, there in places.items():
        world.cluster.create("tb_copy")
        files = {str(world.uploads): str(world.directory / f"restored-{kind}")}
        restored = world.ended(world.start("restore", world.restore_spec("p1", repository=there, files=files)))
        assert (restored.code, restored.last.get("counts")) == (0, {"contacts": 300}), restored


def reaches(world: World, there: dict[str, Any]) -> datetime:
    """Until when the log that lies there goes on."""
    (known,) = world.run("bases", repository=there, crm="demo").last["bases"]
    return datetime.fromisoformat(known["until"] or "2000-01-01T00:00:00Z")


def test_points_are_made_and_given_up_there(world: World, servers: Servers) -> None:
    for there in servers.both(world, "made").values():
        assert world.backup("p1", repository=there).code == 0
        assert [point["id"] for point in world.run("points", repository=there).last["points"]] == ["p1"]
        assert world.run("check", repository=there, read_data=True).code == 0
        assert world.run("forget", repository=there, crm="demo", points=["p1"]).code == 0
        assert world.run("points", repository=there).last["points"] == []


def test_a_repository_is_made_there_and_its_bucket_too(world: World, servers: Servers) -> None:
    places = servers.both(world, "new") | {"bucket": servers.by_s3(world, "new", bucket="another")}
    for there in places.values():
        assert world.run("points", repository=there, **NO_CRM).last["code"] == "no_repository"
        assert world.run("init", repository=there).last.get("created") is True
        assert world.run("points", repository=there, **NO_CRM).last["points"] == []


def test_a_server_with_another_host_key_is_not_trusted(world: World, servers: Servers) -> None:
    make_key(world.directory / "other")
    (world.directory / "known").write_text(known_host(servers.sftp.port, world.directory / "other.pub"))
    refused = world.run("init", repository=servers.by_sftp(world, "feigned", known_hosts=str(world.directory / "known")))
    assert (refused.code, refused.last["code"] in ("host_key", "no_session")) == (1, True), refused
    assert "No repository was created or changed." in refused.said
    assert not (servers.folder / "sftp" / "feigned").exists()


def test_nobody_gets_in_with_another_key(world: World, servers: Servers) -> None:
    make_key(world.directory / "other")
    refused = world.run("points", repository=servers.by_sftp(world, "made", key_file=str(world.directory / "other")), **NO_CRM)
    assert (refused.code, refused.last["code"] in ("refused", "no_session")) == (1, True), refused


@pytest.mark.parametrize("wrong", ["AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"])
def test_a_wrong_credential_is_said_at_once_and_not_tried_for_a_quarter_of_an_hour(world: World, servers: Servers, wrong: str) -> None:
    refused = world.run("points", repository=servers.by_s3(world, "made", **{wrong: "not it"}), **NO_CRM)
    assert (refused.code, refused.last["code"]) == (1, "refused"), refused
    assert "not it" not in refused.said


def test_a_bucket_that_is_not_there_holds_no_repository(world: World, servers: Servers) -> None:
    refused = world.run("points", repository=servers.by_s3(world, "made", bucket="unknown"), **NO_CRM)
    assert (refused.code, refused.last["code"]) == (10, "no_repository"), refused
