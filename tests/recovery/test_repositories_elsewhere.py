"""Recovery points outlive their host: they are copied to a second repository, to which can only be added, and are restored from there."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.conftest import Crm
from tests.recovery.conftest import add_repository
from tests.support.rest_server import append_only_server, free_port

COPY = "rescue-elsewhere"
OFFSITE = "offsite"


@pytest.fixture(scope="module")
def port() -> int:
    return free_port()


@pytest.fixture(scope="module")
def offsite(crm: Crm, folder: Path, port: int) -> Iterator[Path]:
    """The second repository, known to the appliance as long as this file's tests run."""
    add_repository(crm.house, OFFSITE, folder=folder, port=port)
    yield folder / "repository"
    crm.house.done("repository", "remove", OFFSITE)


def said(text: str) -> str:
    return " ".join(text.split())


def test_a_backup_goes_on_without_the_second_place_and_says_so(crm: Crm, offsite: Path) -> None:
    before = len(crm.house.appliance.store.points.list(crm.name))
    ended = crm.house.command("backup", crm.name)
    assert ended.returncode == 1
    assert "What was saved is kept on the host; what is missing elsewhere is copied by the next backup." in said(ended.stdout)
    assert len(crm.house.appliance.store.points.list(crm.name)) == before + 1
    assert not offsite.exists()
    assert "fails" in crm.house.done("repository", "list")


def test_the_next_backup_brings_everything_there(crm: Crm, offsite: Path, port: int) -> None:
    with append_only_server(offsite, port=port):
        crm.house.done("backup", crm.name, "--keep", "last=9")
        assert "works" in crm.house.done("repository", "list")
    crm.house.make_opening_cheap_elsewhere(OFFSITE, offsite / "crm")
    with append_only_server(offsite, port=port):
        crm.house.done("check", crm.name)


def test_what_is_given_up_here_stays_where_can_only_be_added(crm: Crm, offsite: Path, port: int) -> None:
    with append_only_server(offsite, port=port):
        told = crm.house.done("backup", crm.name, "--keep", "last=1")
    assert "offsite keeps what was given up here, since it lets be added only" in said(told)


def test_a_crm_comes_back_from_there_when_the_repository_here_is_lost(crm: Crm, offsite: Path, port: int) -> None:
    here = crm.house.settings.repository_directory
    away = here.with_name("away")
    here.rename(away)
    try:
        with append_only_server(offsite, port=port):
            crm.house.done("drill", crm.name, "--from", OFFSITE)
            crm.house.done("restore", crm.name, "--as", COPY, "--from", OFFSITE)
        assert crm.house.records(COPY) == crm.house.records(crm.name)
    finally:
        shutil.rmtree(here, ignore_errors=True)
        away.rename(here)
        with append_only_server(offsite, port=port):
            told = crm.house.done("instance", "remove", COPY, "--yes", "--purge")
        assert "were given up" in said(told)


def test_a_place_that_is_none_is_refused(crm: Crm) -> None:
    for words, expected in (
        (["nas", "/srv/backups"], "is no place for a repository: write sftp://"),
        (["local", "rest:http://nas:8000/crm/"], "The name local is taken"),
        (["nas", "sftp://crm@nas//srv/crm"], "By SFTP, give the private key and the server's public one"),
        (["nas", "s3:https://nas/crm", "--credential", "PASSWORD=/etc/hostname"], "No credential is called 'PASSWORD'"),
        (["nas", "s3:https://nas/crm", "--credential", "AWS_ACCESS_KEY_ID"], "is not of the form NAME=FILE"),
        (["nas", "s3:https://nas/crm", "--password", "/nonexistent"], "/nonexistent cannot be read"),
    ):
        ended = crm.house.command("repository", "add", *words)
        assert (ended.returncode, expected in said(ended.stderr)) == (2, True), ended.stderr
