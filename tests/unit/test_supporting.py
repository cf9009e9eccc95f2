"""The support bundle says what somebody who helps has to know, and not one secret."""

import io
import json
import tarfile
from pathlib import Path

import pytest
from typer.testing import CliRunner

from appliance.cli import app
from appliance.domain.operation import OperationStatus
from appliance.hosts.log_in_keys import make_key
from appliance.operations.supporting import HIDDEN, redacted, support_bundle
from appliance.operations.this_machine import Finding
from appliance.wiring import Appliance
from tests.support.operating import make_appliance
from tests.support.web_world import NOON, add_people, add_sales, add_web1, end_operation, run_operation

PASSWORD = 'a "quoted" pässword'
WELL = Finding(subject="disk", ok=True, text="has room")


@pytest.fixture
def appliance(tmp_path: Path) -> Appliance:
    made = make_appliance(tmp_path)
    add_people(made)
    add_sales(made)
    add_web1(made)
    made.store.vault.put("sales", "admin_password", PASSWORD)
    made.store.vault.put("sales", "key", make_key())
    return made


def files_of(bundle: bytes) -> dict[str, str]:
    with tarfile.open(fileobj=io.BytesIO(bundle)) as archive:
        return {
            member.name.removeprefix("crm-appliance-support/"): content.read().decode()
            for member in archive.getmembers()
            if (content := archive.extractfile(member)) is not None
        }


def test_it_says_what_was_found_and_why_things_failed(appliance: Appliance) -> None:
    failed = run_operation(appliance)
    appliance.store.logs.add(failed.id, "the disk is full", step="build", now=NOON)
    end_operation(appliance, failed.id, OperationStatus.FAILED, cause="no room")
    appliance.settings.log.mkdir(parents=True)
    (appliance.settings.log / "worker.log").write_text("the worker began\n")
    files = files_of(support_bundle(appliance, [WELL], NOON))
    assert json.loads(files["findings.json"]) == [{"subject": "disk", "ok": True, "text": "has room"}]
    assert [one["name"] for one in json.loads(files["instances.json"])] == ["sales"]
    assert json.loads(files["operations.json"])[0]["cause"] == "no room"
    assert "build the disk is full" in files[f"logs/operation-{failed.id}.log"]
    assert files["logs/worker.log"] == "the worker began\n"
    assert "made 2026-03-02 12:00 UTC" in files["README.txt"]


def test_no_secret_is_in_it_wherever_it_stood(appliance: Appliance) -> None:
    failed = run_operation(appliance)
    key_line = appliance.store.vault.get("sales", "key").splitlines()[1]
    for text in (f"password is {PASSWORD}!", key_line, "rest:https://me:hunter2@nas.example.org/"):
        appliance.store.logs.add(failed.id, text, step="build", now=NOON)
    end_operation(appliance, failed.id, OperationStatus.FAILED, cause=f"refused {PASSWORD}")
    files = files_of(support_bundle(appliance, [WELL], NOON))
    everything = "\n".join(files.values())
    secrets = [value for scope in appliance.store.vault.scopes("") for value in appliance.store.vault.all(scope).values()]
    assert len(secrets) >= 3
    for secret in (*secrets, key_line, "hunter2", json.dumps(PASSWORD)[1:-1], "$argon2"):
        assert secret not in everything
    log = files[f"logs/operation-{failed.id}.log"]
    assert (f"password is {HIDDEN}!" in log, f"https://{HIDDEN}@nas.example.org/" in log) == (True, True)
    assert json.loads(files["operations.json"])[0]["cause"] == f"refused {HIDDEN}"


def test_a_secret_that_holds_another_one_goes_whole() -> None:
    assert redacted("x secret-long y secret z", ["secret-long", "secret"]) == f"x {HIDDEN} y {HIDDEN} z"


def test_the_command_writes_a_file_for_nobody_else(appliance: Appliance, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr("appliance.cli.processes.opened", lambda: appliance)
    file = tmp_path / "bundle.tar.gz"
    ended = CliRunner().invoke(app, ["support-bundle", str(file)], catch_exceptions=False)
    assert (ended.exit_code, file.stat().st_mode & 0o777) == (0, 0o600)
    assert "README.txt" in files_of(file.read_bytes())
    again = CliRunner().invoke(app, ["support-bundle", str(file)])
    assert "Nothing was changed" in str(again.exception)
