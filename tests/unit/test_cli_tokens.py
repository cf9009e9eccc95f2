"""Bearer tokens by the command line."""

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from appliance.cli import app
from appliance.errors import InvalidRequest, NotFound
from appliance.wiring import Appliance
from tests.support.operating import make_appliance
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
    found = appliance.store.tokens.find(token)
    assert found is not None
    assert (found.user, found.scope, found.expires_at) == ("Oscar", "administrator", None)
    (listed,) = json.loads(told("token", "list", "--json"))
    assert (listed["name"], listed["user"], token in str(listed)) == ("cron", "Oscar", False)
    assert "cron opens nothing any more" in told("token", "revoke", "cron")
    assert appliance.store.tokens.find(token) is None
    assert "There is no token" in told("token", "list")


def test_issuing_and_revoking_are_audited(appliance: Appliance) -> None:
    told("token", "issue", "cron", "--user", "Oscar")
    told("token", "revoke", "cron")
    with appliance.store.database.engine.connect() as connection:
        assert connection.exec_driver_sql("SELECT action, subject FROM audit").all() == [("issue token", "cron"), ("revoke token", "cron")]


def test_a_token_that_is_not_there_is_named(appliance: Appliance) -> None:
    assert appliance.store.tokens.list() == []
    with pytest.raises(NotFound, match="There is no token 'cron'; nothing was changed"):
        told("token", "revoke", "cron")


def test_a_token_can_carry_less_and_end(appliance: Appliance) -> None:
    told("token", "issue", "watch", "--user", "Oscar", "--scope", "viewer", "--days", "30")
    (found,) = appliance.store.tokens.list()
    assert found.expires_at is not None
    assert (found.scope, (found.expires_at - found.created_at).days, found.is_over(found.expires_at)) == ("viewer", 30, True)


@pytest.mark.parametrize(("option", "value", "said"), [("--scope", "root", "is no scope"), ("--days", "0", "1 to 3650 days")])
def test_a_token_of_no_use_is_refused(appliance: Appliance, option: str, value: str, said: str) -> None:
    with pytest.raises(InvalidRequest, match=said):
        told("token", "issue", "cron", "--user", "Oscar", option, value)
    assert appliance.store.tokens.list() == []
