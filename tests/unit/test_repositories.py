"""Repositories elsewhere: what is one, and what is kept of it."""

from pathlib import Path
from typing import Any

import pytest

from appliance.domain.repository import Repository
from appliance.errors import InvalidRequest, NotFound
from appliance.operations.repositories import add_repository, remove_repository
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
