"""Bearer tokens by the command line."""

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from appliance.cli import app
from appliance.errors import NotFound
from appliance.wiring import Appliance
from tests.support.operating import make_appliance, now
from tests.support.web_world import add_people


@pytest.fixture
def appliance(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Appliance:
    made = make_appliance(tmp_path)
    add_people(made)
    monkeypatch.setenv("APPLIANCE_CONFIG", "/nonexistent")
    monkeypatch.setenv("APPLIANCE_HOME", str(made.settings.home))
    return made


def told(*argv: str) -> str:
    return CliRunner().invoke(app, argv, catch_exceptions=False).stdout


def test_a_token_is_issued_listed_and_revoked(appliance: Appliance) -> None:
    token = told("token", "issue", "cron", "--user", "Oscar").strip()
    user = appliance.store.access.find_token_user(token, now=now())
    assert user is not None
    assert user.name == "Oscar"
    (listed,) = json.loads(told("token", "list", "--json"))
    assert (listed["name"], listed["user"], token in str(listed)) == ("cron", "Oscar", False)
    assert "cron opens nothing any more" in told("token", "revoke", "cron")
    assert appliance.store.access.find_token_user(token, now=now()) is None
    assert "There is no token" in told("token", "list")


def test_issuing_and_revoking_are_audited(appliance: Appliance) -> None:
    told("token", "issue", "cron", "--user", "Oscar")
    told("token", "revoke", "cron")
    with appliance.store.database.engine.connect() as connection:
        assert connection.exec_driver_sql("SELECT action, subject FROM audit").all() == [("issue token", "cron"), ("revoke token", "cron")]


def test_a_token_that_is_not_there_is_named(appliance: Appliance) -> None:
    assert appliance.store.access.tokens() == []
    with pytest.raises(NotFound, match="There is no token 'cron'; nothing was changed"):
        told("token", "revoke", "cron")
