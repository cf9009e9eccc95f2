"""Settings of a real CRM are changed: they are in force wholly or not at all, and what breaks it is never seen by visitors."""

from pathlib import Path

import pytest

from appliance.domain.operation import Operation, OperationStatus
from appliance.operations.workflows import WORKFLOWS
from tests.conftest import NEW, OLD, Crm
from tests.support.killing import carry_with_kills, failing_in

LOGIN = "/creme_login/"
AT_FIRST = {"language": "en", "time_zone": "UTC"}
FRENCH = {"language": "fr", "time_zone": "Europe/Paris"}


def newest_operation(crm: Crm, kind: str) -> Operation:
    journal = crm.house.appliance.store.operations
    return journal.get(journal.list(instance=crm.name, kind=kind)[0].id)


def kept(crm: Crm) -> dict[str, object]:
    """What the appliance says are its settings."""
    return dict(crm.house.appliance.store.instances.get(crm.name).settings)


def in_force(crm: Crm) -> dict[str, object]:
    """What every process of the deployment that serves was started with."""
    serving = crm.house.appliance.store.instances.get(crm.name).deployment
    assert serving is not None
    mark = f"CRM_SERVICE=crm-{crm.name}-{serving.id}-"
    found = {tuple(one.get(name) for name in ("CRM_LANGUAGE", "CRM_TIME_ZONE")) for one in _environments(mark)}
    assert len(found) == 1, found
    language, time_zone = found.pop()
    return {"language": language, "time_zone": time_zone}


def _environments(mark: str) -> list[dict[str, str]]:
    found = []
    for file in Path("/proc").glob("[0-9]*/environ"):
        try:
            lines = file.read_bytes().decode(errors="replace").split("\0")
        except OSError:
            continue
        if any(line.startswith(mark) for line in lines) and any(line.startswith("CRM_LANGUAGE=") for line in lines):
            found.append(dict(line.partition("=")[::2] for line in lines if "=" in line))
    return found


def speaks(crm: Crm) -> tuple[str, str]:
    """The release of the page that visitors without a wish of their own get, and its language."""
    status, _, page = crm.house.get(LOGIN, port=crm.port)
    assert status == 200
    release = next((one for one in (OLD, NEW) if f"Version {one}" in page), "")
    return release, "fr" if "Mot de passe" in page else "en" if "Password" in page else ""


def deployments(crm: Crm) -> set[str]:
    return {path.name for path in (crm.house.settings.crm_root / crm.name / "deployments").iterdir()}


def remembered(crm: Crm) -> set[str]:
    return {one.id for one in crm.house.appliance.store.instances.get(crm.name).kept}


def test_settings_are_changed_though_the_worker_is_killed_in_each_step(crm: Crm) -> None:
    assert (in_force(crm), speaks(crm)) == (AT_FIRST, (OLD, "en"))
    ended, hit = carry_with_kills(crm.house, "configure", crm.name, {"settings": FRENCH}, seed=6)
    assert (ended.status, ended.cause, hit) == (OperationStatus.SUCCEEDED, None, [step.name for step in WORKFLOWS["configure"].steps])
    assert (kept(crm), in_force(crm), speaks(crm)) == (FRENCH, FRENCH, (OLD, "fr"))
    assert deployments(crm) == remembered(crm)
    assert crm.house.records(crm.name) == crm.records


def test_a_setting_that_the_crm_cannot_start_with_is_never_seen_by_visitors(crm: Crm) -> None:
    serving = crm.house.appliance.store.instances.get(crm.name).deployment
    refused = crm.house.command("instance", "settings", crm.name, "--set", "time_zone=Nowhere/Land", "--yes")
    assert refused.returncode == 3, refused.stdout[-3000:] + refused.stderr
    ended = newest_operation(crm, "configure")
    assert (ended.status, "private port" in str(ended.cause)) == (OperationStatus.ROLLED_BACK, True), ended.cause
    assert "Incorrect timezone setting: Nowhere/Land" in " ".join(refused.stdout.split())  # what the CRM itself has said
    begun = [step.name for step in ended.steps if step.started_at]
    assert begun in (["preflight", "deployment", "start"], ["preflight", "deployment", "start", "verify"])  # its port may open first
    assert crm.house.appliance.store.instances.get(crm.name).deployment == serving
    assert (kept(crm), in_force(crm), speaks(crm)) == (FRENCH, FRENCH, (OLD, "fr"))
    assert deployments(crm) == remembered(crm)


@pytest.mark.parametrize("step", ["switch", "clear"])
def test_a_failure_puts_the_settings_from_before_back(crm: Crm, step: str) -> None:
    with crm.house.own_worker_stopped(), failing_in(crm.house, step):
        ended = crm.house.command("instance", "settings", crm.name, "--set", "language=en", "--yes")
    assert ended.returncode == 3, ended.stdout[-3000:] + ended.stderr
    assert (kept(crm), in_force(crm), speaks(crm)) == (FRENCH, FRENCH, (OLD, "fr"))
    assert deployments(crm) == remembered(crm)


def change_language(crm: Crm) -> tuple[dict[str, object], str]:
    """To the other one; gives all settings as they are to be now, and it."""
    before = kept(crm)
    wanted = {**before, "language": "en" if before["language"] == "fr" else "fr"}
    said = crm.house.done("instance", "settings", crm.name, "--set", f"language={wanted['language']}", "--yes")
    assert f"language: {before['language']} to {wanted['language']}; visitors saw the maintenance page for" in " ".join(said.split())
    return wanted, str(wanted["language"])


def test_a_rollback_goes_back_in_code_and_data_and_not_in_settings(crm: Crm) -> None:
    crm.house.done("upgrade", crm.name, "--to", NEW, "--no-rehearsal")
    wanted, language = change_language(crm)
    assert (kept(crm), in_force(crm), speaks(crm)) == (wanted, wanted, (NEW, language))
    crm.house.done("rollback", crm.name)
    assert (kept(crm), in_force(crm), speaks(crm)) == (wanted, wanted, (OLD, language))
    assert deployments(crm) == remembered(crm)
    assert crm.house.records(crm.name) == crm.records


def test_the_log_of_a_database_is_received_on_while_settings_change(crm: Crm) -> None:
    crm.house.done("archive", crm.name)
    begun = newest_operation(crm, "archive").id
    change_language(crm)
    crm.house.done("backup", crm.name)  # its last step fails where the log does not reach beyond the recovery point
    found = crm.house.appliance.store.instances.get(crm.name)
    assert found.archive is not None
    assert found.deployment is not None
    assert (found.archive.deployment, newest_operation(crm, "archive").id) == (found.deployment.id, begun)
    crm.house.done("archive", crm.name, "--off")
