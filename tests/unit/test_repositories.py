"""Repositories elsewhere: what is one, and what is kept of it."""

import json
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from appliance.cli import app
from appliance.domain.repository import Repository
from appliance.errors import InvalidRequest, NotFound
from appliance.operations.repositories import add_repository, remove_repository, retain, retain_all
from appliance.wiring import Appliance
from tests.support.operating import make_appliance
from tests.support.web_world import NOON

REST = "rest:https://nas.example.org:8000/crm/"


@pytest.fixture
def appliance(tmp_path: Path) -> Appliance:
    return make_appliance(tmp_path)


def added(appliance: Appliance, **changes: Any) -> Repository:
    wanted: dict[str, Any] = {
        "name": "offsite",
        "location": REST,
        "secrets": {"RESTIC_REST_PASSWORD": "s"},
        "requested_by": "Alice",
        "now": NOON,
    }
    return add_repository(appliance, **(wanted | changes))


def test_it_is_kept_with_what_it_is_asked_with_and_a_password_of_its_own(appliance: Appliance) -> None:
    made = added(appliance)
    assert appliance.store.repositories.list() == [made]
    secrets = appliance.store.vault.all("repository:offsite")
    assert secrets.keys() == {"credential-RESTIC_REST_PASSWORD", "password"}
    assert len(secrets["password"]) == 40


def test_one_that_is_there_already_is_opened_with_its_password(appliance: Appliance) -> None:
    added(appliance, secrets={"password": "from before"})
    assert appliance.store.vault.get("repository:offsite", "password") == "from before"


def test_how_the_last_copying_went_is_remembered(appliance: Appliance) -> None:
    added(appliance)
    appliance.store.repositories.note("offsite", "3 snapshots copied", works=True, now=NOON)
    kept = appliance.store.repositories.get("offsite")
    assert (kept.note, kept.works, kept.noted_at) == ("3 snapshots copied", True, NOON)


def test_its_password_outlives_it(appliance: Appliance) -> None:
    added(appliance)
    remove_repository(appliance, "offsite", requested_by="Alice", now=NOON)
    assert appliance.store.repositories.list() == []
    assert appliance.store.vault.get("repository:offsite", "password")
    with pytest.raises(NotFound):
        remove_repository(appliance, "offsite", requested_by="Alice", now=NOON)


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"name": "Off Site"}, "name"),
        ({"name": "local"}, "name"),
        ({"name": "localhost"}, "name"),
        ({"location": "/srv/backups"}, "location"),
        ({"location": "sftp:-oProxyCommand=touch pwned:/srv"}, "location"),
        ({"location": "sftp://crm@nas//srv/crm"}, "key"),
        ({"secrets": {"LD_PRELOAD": "x"}}, "credential"),
    ],
)
def test_what_cannot_be_one_is_refused_and_leaves_nothing(appliance: Appliance, changes: dict[str, Any], field: str) -> None:
    with pytest.raises(InvalidRequest, match="Nothing was changed") as refused:
        added(appliance, **changes)
    assert refused.value.field == field
    assert appliance.store.repositories.list() == []
    assert appliance.store.vault.scopes("repository:") == []


def test_a_name_is_taken_once(appliance: Appliance) -> None:
    added(appliance)
    with pytest.raises(InvalidRequest, match="is taken"):
        added(appliance)


def test_what_retention_runs_with_there_is_kept_apart_from_what_hosts_are_lent(appliance: Appliance) -> None:
    added(appliance)
    retained: dict[str, Any] = {"location": "rest:https://nas:8001/crm/", "keep": {"daily": 7}}
    made = retain(appliance, "offsite", **retained, secrets={"RESTIC_REST_PASSWORD": "removes"}, by="Alice", now=NOON)
    assert made.retention == retained
    assert appliance.store.vault.all("retention:offsite") == {"credential-RESTIC_REST_PASSWORD": "removes"}
    assert "removes" not in appliance.store.vault.all("repository:offsite").values()
    retain_all(appliance, "offsite", by="Alice", now=NOON)
    assert appliance.store.repositories.get("offsite").retention is None
    assert appliance.store.vault.all("retention:offsite") == {}


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"secrets": {}}, "Give it credentials of its own"),
        ({"secrets": {"RESTIC_REST_PASSWORD": "s"}}, "those that hosts have are to add only"),
        ({"secrets": {"PASSWORD": "s"}}, "No credential is called 'PASSWORD'"),
        ({"secrets": {"password": "s"}}, "The repository's password is known already"),
        ({"keep": {}}, "This would keep no recovery point at all"),
        ({"location": "/srv/backups"}, "is no place for a repository"),
        ({"location": "sftp://crm@nas//srv"}, "By SFTP, give the private key"),
    ],
)
def test_a_retention_that_cannot_be_changes_nothing(appliance: Appliance, changes: dict[str, Any], said: str) -> None:
    added(appliance)
    wanted: dict[str, Any] = {"location": None, "keep": {"daily": 7}, "secrets": {"RESTIC_REST_PASSWORD": "removes"}}
    with pytest.raises(InvalidRequest, match=said):
        retain(appliance, "offsite", **(wanted | changes), by="Alice", now=NOON)
    assert appliance.store.repositories.get("offsite").retention is None
    assert appliance.store.vault.all("retention:offsite") == {}


def test_a_retention_is_given_by_command_and_shown(appliance: Appliance, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("APPLIANCE_CONFIG", "/nonexistent")
    monkeypatch.setenv("APPLIANCE_HOME", str(appliance.settings.home))
    added(appliance)
    (tmp_path / "removing").write_text("removes")
    words = ["repository", "retention", "offsite", "--keep", "daily=7", "--credential", f"RESTIC_REST_PASSWORD={tmp_path / 'removing'}"]
    assert CliRunner().invoke(app, words, catch_exceptions=False).exit_code == 0
    shown = json.loads(CliRunner().invoke(app, ["repository", "list", "--json"], catch_exceptions=False).stdout)
    assert shown[0]["retention"] == {"location": REST, "keep": {"daily": 7}}
    assert "removes" not in json.dumps(shown)
    assert CliRunner().invoke(app, ["repository", "retention", "offsite", "--off"], catch_exceptions=False).exit_code == 0
    assert appliance.store.repositories.get("offsite").retention is None
