"""Bad input and bad luck: a clear sentence, the right exit code, nothing changed."""

import signal
import socket
import subprocess
import time

import pytest

from appliance.operations.machines import layout_on
from appliance.operations.variables import crm_variables
from tests.conftest import NEW, Crm
from tests.support.house import PROGRAMS, wait_for


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        (["install", "nosuch", "--name", "trial-x"], 2, "there are: creme"),
        (["install", "creme", "--name", "trial-x", "--release", "9.9"], 2, "9.9 is not known"),
        (["install", "creme", "--name", "../etc"], 2, "cannot name an instance"),
        (["install", "creme", "--name=--help-me"], 2, "cannot name an instance"),
        (["install", "creme", "--name", "x'; drop table operations; --"], 2, "cannot name an instance"),
        (["install", "creme", "--name", "trial-drill"], 2, "kept for restore drills"),
        (["install", "creme", "--name", "trial-x", "--set", "colour=red"], 2, "colour"),
        (["install", "creme", "--name", "trial-x", "--set", "language={{ 7*7 }}"], 2, "may not contain"),
        (["install", "creme", "--name", "trial-x", "--set", "port=eighty"], 2, "port"),
        (["install", "creme", "--name", "trial"], 5, "exists already"),
        (["backup", "nosuch"], 2, "There is no instance 'nosuch'"),
        (["upgrade", "trial", "--to", "1.0"], 2, "1.0 is not known"),
        (["upgrade", "trial", "--to", "2.6.20"], 4, "older than"),
        (["restore", "trial", "--to", "nosuch"], 2, "no recovery point of trial"),
        (["operation", "show", "999999"], 2, "There is no operation"),
        (["operation", "retry", "1"], 5, "succeeded"),
    ],
)
def test_a_bad_request_is_refused_by_name(crm: Crm, words: list[str], code: int, said: str) -> None:
    before = len(crm.house.appliance.store.operations.list(limit=1000))
    ended = crm.house.command(*words)
    assert (ended.returncode, said in ended.stderr) == (code, True), ended.stdout + ended.stderr
    assert len(crm.house.appliance.store.operations.list(limit=1000)) == before


def test_a_taken_port_is_refused_in_preflight(crm: Crm) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        ended = crm.house.command("install", "creme", "--name", "trial-x", "--set", f"port={taken.getsockname()[1]}")
    assert (ended.returncode, "choose another" in ended.stdout) == (4, True), ended.stdout + ended.stderr
    assert crm.house.appliance.store.instances.find("trial-x") is None


def test_a_second_operation_on_a_busy_instance_is_refused(crm: Crm) -> None:
    with crm.house.own_worker_stopped():
        crm.house.done("backup", crm.name, "--detach")
        ended = crm.house.command("backup", crm.name)
    assert (ended.returncode, "is busy with operation" in ended.stderr) == (5, True), ended.stderr
    wait_for(lambda: crm.house.appliance.store.operations.unfinished(crm.name) is None)


def test_a_stopped_database_is_named_in_preflight(crm: Crm) -> None:
    kept = crm.house.appliance.store.instances.get(crm.name)
    assert kept.deployment is not None
    cluster = crm_variables(layout_on(crm.house.appliance, kept.host), kept, cluster=kept.deployment.cluster)["cluster_service"]
    crm.house.supervisorctl("stop", cluster)
    ended = crm.house.command("backup", crm.name)
    crm.house.supervisorctl("start", cluster)
    wait_for(lambda: crm.house.get("/creme_login/", port=crm.port)[0] == 200)
    assert (ended.returncode, "does not answer" in ended.stdout) == (4, True), ended.stdout


def test_a_crm_that_serves_while_its_job_queue_is_dead_is_not_upgraded(crm: Crm) -> None:
    serving = crm.house.appliance.store.instances.get(crm.name).deployment
    assert serving is not None
    crm.house.supervisorctl("stop", f"crm-{crm.name}-{serving.id}-queue")
    assert crm.house.get("/creme_login/", port=crm.port)[0] == 200
    ended = crm.house.command("upgrade", crm.name, "--to", NEW)
    crm.house.supervisorctl("start", f"crm-{crm.name}-{serving.id}-queue")
    assert (ended.returncode, "queue" in ended.stdout) == (4, True), ended.stdout + ended.stderr


def test_code_that_serves_on_the_database_of_a_later_series_is_not_upgraded(crm: Crm) -> None:
    crm.house.sql(crm.name, "insert into django_migrations (app, name, applied) values ('creme_core', '0999_v2_8__by_hand', now())")
    assert crm.house.get("/creme_login/", port=crm.port)[0] == 200
    ended = crm.house.command("upgrade", crm.name, "--to", NEW)
    crm.house.sql(crm.name, "delete from django_migrations where name = '0999_v2_8__by_hand'")
    assert (ended.returncode, "version_database" in ended.stdout) == (4, True), ended.stdout + ended.stderr
    assert crm.house.records(crm.name) == crm.records


def test_a_wrong_repository_password_is_named_and_makes_no_point(crm: Crm) -> None:
    vault, points = crm.house.appliance.store.vault, crm.house.appliance.store.points
    password, before = vault.get("repository:local", "password"), len(points.list(crm.name))
    vault.put("repository:local", "password", "wrong")
    ended = crm.house.command("backup", crm.name)
    vault.put("repository:local", "password", password)
    assert (ended.returncode, "password" in ended.stdout.lower()) == (1, True), ended.stdout
    assert len(points.list(crm.name)) == before


def test_ctrl_c_cancels_at_a_safe_point_and_undoes(crm: Crm) -> None:
    argv = [str(PROGRAMS / "appliance"), "upgrade", crm.name, "--to", NEW]
    process = subprocess.Popen(argv, env=crm.house.environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, cwd="/")
    time.sleep(3)
    process.send_signal(signal.SIGINT)
    output, errors = process.communicate(timeout=300)
    assert (process.returncode, "Asked to stop" in errors) == (130, True), output + errors
    assert crm.house.records(crm.name) == crm.records
    assert crm.house.get("/creme_login/", port=crm.port)[0] == 200


def test_plain_restic_by_hand_reads_the_repository(crm: Crm) -> None:
    repository = str(crm.house.settings.repository_directory)
    password = crm.house.appliance.store.vault.get("repository:local", "password")
    argv = ["restic", "-r", repository, "--no-cache", "snapshots", "--tag", f"crm={crm.name}", "--json"]
    done = subprocess.run(argv, env=crm.house.environment | {"RESTIC_PASSWORD": password}, capture_output=True, text=True, check=True)
    assert "part=database" in done.stdout


def test_a_playbook_runs_by_hand_and_changes_nothing_the_second_time(crm: Crm) -> None:
    kept = next(crm.house.settings.home.glob("operations/*/*deployment_switch*/env/extravars"))
    argv = [str(PROGRAMS / "ansible-playbook"), "-i", "localhost,", "-c", "local", "playbooks/host_prepare.yml", "-e", f"@{kept}"]
    done = subprocess.run(argv, capture_output=True, text=True, check=False, env=crm.house.environment)
    assert (done.returncode, "changed=0" in done.stdout) == (0, True), done.stdout + done.stderr
