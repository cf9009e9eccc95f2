"""Which secrets are kept is told, and never what they are; what people set is replaced, and nothing else."""

import json
import os
import subprocess
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from typer.testing import CliRunner

from appliance.cli import app
from appliance.errors import InvalidRequest, NotFound
from appliance.operations.channels import add_channel
from appliance.operations.kept_secrets import KINDS, kept_of, owner_of, owners, replace_secret
from appliance.operations.repositories import add_repository, retain
from appliance.operations.steps.archiving import relays_to
from appliance.operations.webhooks import add_webhook, renew_secret
from appliance.store.audit import AuditFilter
from appliance.wiring import Appliance
from tests.support.operating import make_appliance
from tests.support.rest_server import PASSWORD, USER, append_only_server
from tests.support.web_world import NOON, add_sales, add_web1

OF_RESTIC = "a password of restic's"
OLD, NEW = "json://127.0.0.1/old", "xml://127.0.0.1/new"


@pytest.fixture
def appliance(tmp_path: Path) -> Appliance:
    made = make_appliance(tmp_path)
    add_sales(made)
    add_web1(made)
    made.store.vault.put("sales", "admin_password", "hush")
    add_channel(made, name="ops", url=OLD, requested_by="Alice", now=NOON)
    add_webhook(made, name="desk", url="https://desk.example.org/", events=(), requested_by="Alice", now=NOON)
    return made


@dataclass(frozen=True)
class Offsite:
    """A repository that is there, at a server that lets in by a password."""

    appliance: Appliance
    directory: Path

    def replace(self, **values: str) -> None:
        replace_secret(self.appliance, "repository", "offsite", values, requested_by="Alice", now=NOON + timedelta(hours=1))

    def since(self) -> Mapping[str, datetime | None]:
        (found,) = kept_of(self.appliance, [owner_of("repository:offsite")])
        return found.secrets

    def kept(self) -> dict[str, str]:
        return self.appliance.store.vault.all("repository:offsite")


@pytest.fixture
def offsite(appliance: Appliance, tmp_path: Path) -> Iterator[Offsite]:
    """Its credentials are wrong at first, as if the server had been given others."""
    directory = tmp_path / "served"
    environment = {**os.environ, "RESTIC_PASSWORD": OF_RESTIC}
    subprocess.run(["restic", "init", "-q", "-r", str(directory / "crm")], check=True, env=environment, timeout=60)
    with append_only_server(directory) as port:
        old = {"password": OF_RESTIC, "RESTIC_REST_USERNAME": USER, "RESTIC_REST_PASSWORD": "the old one"}
        add_repository(
            appliance, name="offsite", location=f"rest:http://127.0.0.1:{port}/crm/", secrets=old, requested_by="Alice", now=NOON
        )
        yield Offsite(appliance, directory)


def audited(appliance: Appliance) -> list[tuple[str, str, str]]:
    entries = appliance.store.audit.list(AuditFilter(action="replace secret"))
    return [(one.actor, one.subject, json.dumps(one.detail)) for one in entries]


def test_every_owner_is_told_by_name_and_since_when(appliance: Appliance) -> None:
    found = {(one.owner.kind, one.owner.name): one for one in kept_of(appliance, owners(appliance))}
    assert {key: (sorted(one.secrets), one.can_replace) for key, one in found.items()} == {
        ("channel", "ops"): (["url"], True),
        ("webhook", "desk"): (["secret"], False),
        ("host", "web1"): (["ssh_key"], False),
        ("crm", "sales"): (["admin_password"], False),
    }
    assert all(since for one in found.values() for since in one.secrets.values())
    assert "hush" not in repr(found)


@pytest.mark.parametrize(
    "scope", [f"{kind}:a" for kind in ("repository", "retention", "channel", "webhook", "host", "tls", "user", "stack", "handover")]
)
def test_every_scope_has_an_owner_of_a_kind_that_is_explained(scope: str) -> None:
    owner = owner_of(scope)
    assert (f"{owner.kind}:{owner.name}", bool(KINDS[owner.kind].told)) == (scope, True)


def test_credentials_that_open_the_repository_take_the_place_of_the_old_ones(offsite: Offsite) -> None:
    before, since = relays_to(offsite.appliance), offsite.since()
    offsite.replace(RESTIC_REST_PASSWORD=PASSWORD)
    assert {name for name, at in offsite.since().items() if at != since[name]} == {"RESTIC_REST_PASSWORD"}
    assert offsite.kept() == {
        "password": OF_RESTIC,
        "credential-RESTIC_REST_USERNAME": USER,
        "credential-RESTIC_REST_PASSWORD": PASSWORD,
    }
    assert relays_to(offsite.appliance) != before  # so that hosts which ship logs there are given them
    assert audited(offsite.appliance) == [("Alice", "repository offsite", '{"secrets": ["RESTIC_REST_PASSWORD"]}')]


def test_credentials_that_do_not_open_it_change_nothing(offsite: Offsite) -> None:
    before = offsite.kept()
    offsite.appliance.store.repositories.note("offsite", "copied", works=True, now=NOON)
    with pytest.raises(InvalidRequest, match=r"With these offsite does not open: .* Nothing was changed") as refused:
        offsite.replace(RESTIC_REST_PASSWORD="another wrong one")
    assert "wrong" not in str(refused.value)
    assert (offsite.kept(), audited(offsite.appliance)) == (before, [])


@pytest.mark.parametrize(
    ("values", "told"),
    [
        ({"password": "other"}, "which stays as it is"),
        ({"LD_PRELOAD": "/x"}, "No credential is called 'LD_PRELOAD'"),
        ({}, "Say what it is to be asked with"),
    ],
)
def test_what_no_repository_is_asked_with_is_refused(offsite: Offsite, values: dict[str, str], told: str) -> None:
    before = offsite.kept()
    with pytest.raises(InvalidRequest, match=told):
        offsite.replace(**values)
    assert offsite.kept() == before


def test_a_channel_leads_elsewhere_from_now_on_and_what_waits_is_tried_at_once(appliance: Appliance) -> None:
    appliance.store.channels.note_failed("ops", "it is not reached", now=NOON)
    replace_secret(appliance, "channel", "ops", {"url": NEW}, requested_by="Alice", now=NOON)
    channel = appliance.store.channels.get("ops")
    assert (appliance.store.vault.get("channel:ops", "url"), channel.service, channel.try_at) == (NEW, "XML", None)
    assert audited(appliance) == [("Alice", "channel ops", '{"service": "XML"}')]


def test_an_address_that_is_none_is_refused_and_not_repeated(appliance: Appliance) -> None:
    with pytest.raises(InvalidRequest) as refused:
        replace_secret(appliance, "channel", "ops", {"url": "hush://secret"}, requested_by="Alice", now=NOON)
    assert ("hush" in str(refused.value), appliance.store.vault.get("channel:ops", "url")) == (False, OLD)


@pytest.mark.parametrize("kind", sorted(KINDS.keys() - {"repository", "channel", "login-provider"}))
def test_what_only_the_appliance_makes_is_refused_with_the_reason(appliance: Appliance, kind: str) -> None:
    with pytest.raises(InvalidRequest) as refused:
        replace_secret(appliance, kind, "sales", {"admin_password": "mine"}, requested_by="Alice", now=NOON)
    assert str(refused.value) == f"{KINDS[kind].told} Nothing was changed."
    assert appliance.store.vault.get("sales", "admin_password") == "hush"


@pytest.mark.parametrize(("kind", "name"), [("repository", "nas"), ("channel", "nobody"), ("login-provider", ""), ("siebel", "x")])
def test_what_is_not_there_is_not_found(appliance: Appliance, kind: str, name: str) -> None:
    values = {"repository": {"AWS_ACCESS_KEY_ID": "x"}, "channel": {"url": NEW}}.get(kind, {"client-secret": "x"})
    with pytest.raises(NotFound):
        replace_secret(appliance, kind, name, values, requested_by="Alice", now=NOON)


def test_the_command_line_lists_and_replaces(appliance: Appliance, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("APPLIANCE_CONFIG", "/nonexistent")
    monkeypatch.setenv("APPLIANCE_HOME", str(appliance.settings.home))
    renew_secret(appliance, "desk", requested_by="Alice", now=NOON)
    listed = json.loads(CliRunner().invoke(app, ["secrets", "list", "--json"], catch_exceptions=False).stdout)
    assert [one["kind"] for one in listed] == ["channel", "webhook", "host", "crm"]
    (tmp_path / "url").write_text(f"{NEW}\n")
    replaced = CliRunner().invoke(app, ["secrets", "replace", "channel", "ops", "--secret", f"url={tmp_path}/url"], catch_exceptions=False)
    assert (replaced.exit_code, appliance.store.vault.get("channel:ops", "url")) == (0, NEW)
    assert NEW not in replaced.stdout


def test_retention_keeps_working_beside(offsite: Offsite) -> None:
    place = offsite.appliance.store.repositories.get("offsite").location
    mine = {"RESTIC_REST_PASSWORD": "removes"}
    retain(offsite.appliance, "offsite", location=place, keep={"daily": 7}, secrets=mine, by="Alice", now=NOON)
    offsite.replace(RESTIC_REST_PASSWORD=PASSWORD)
    assert offsite.appliance.store.vault.all("retention:offsite") == {"credential-RESTIC_REST_PASSWORD": "removes"}
