"""The playbooks on a real machine: PostgreSQL, nginx, supervisord, and a CRM that is as small as one can be.

The tests build on one another, in the order of an instance's life.
"""

import json
import os
import signal
import subprocess
import time
from pathlib import Path
from typing import Any

import pytest

from tests.playbooks.rig import REPOSITORY, Rig, Run
from tests.support.house import wait_for

pytestmark = [
    pytest.mark.skipif(os.geteuid() != 0, reason="needs root: users, clusters and services are made"),
]

CLUSTERS = REPOSITORY / "playbooks/roles/cluster/files/clusters.py"


def play(rig: Rig, playbook: str, **variables: object) -> Run:
    run = rig.play(playbook, **variables)
    assert run.succeeded, run.output
    return run


def traces(rig: Rig) -> dict[str, Any]:
    """Everything on the machine that names the instance."""
    places = ["/etc/postgresql", "/var/lib/postgresql", "/var/log/postgresql", str(rig.root / "nginx.d"), str(rig.root / "supervisor.d")]
    return {
        "users": [line for line in Path("/etc/passwd").read_text().splitlines() if line.startswith(f"crm-{rig.name}:")],
        "files": sorted(str(path) for place in places for path in Path(place).rglob("*") if rig.name in path.name),
        "programs": sorted(name for name in rig.status() if rig.name in name),
        "root": sorted(str(path) for path in (rig.root / "crm").iterdir()),
        "processes": subprocess.run(["pgrep", "-fa", f"crm/{rig.name}/"], capture_output=True, text=True, check=False).stdout,
    }


def queues(rig: Rig, deployment: str) -> list[str]:
    """The processes of a deployment's queue."""
    found = subprocess.run(
        ["pgrep", "-u", f"crm-{rig.name}", "-f", "--", f"-X deployment={deployment} "], capture_output=True, text=True, check=False
    )
    return found.stdout.split()


@pytest.fixture(scope="module")
def first(rig: Rig) -> dict[str, Any]:
    return {"release": rig.release("1.1"), "deployment": rig.deployment("0001-1", "1.1")}


@pytest.fixture(scope="module")
def second(rig: Rig) -> dict[str, Any]:
    crm = rig.variables()["crm"] | rig.clusters[1]
    return {"release": rig.release("2.0"), "deployment": rig.deployment("0002-2", "2.0"), "crm": crm}


@pytest.fixture(scope="module")
def following(rig: Rig) -> dict[str, Any]:
    """What the second deployment's cluster is a standby of."""
    return {"source": rig.clusters[0] | {"database": "crm_0001_1"}}


@pytest.fixture(scope="module")
def migration(rig: Rig, following: dict[str, Any]) -> dict[str, Any]:
    hop = rig.product["upgrade"]["hops"][0]
    return {"steps": hop["steps"], "pre_sql": hop["pre_sql"], "start_services": True, **following}


@pytest.fixture(scope="module")
def untouched(rig: Rig) -> dict[str, Any]:
    play(rig, "host_prepare")
    return traces(rig)


@pytest.fixture(scope="module")
def installed(rig: Rig, first: dict[str, Any], untouched: dict[str, Any]) -> dict[str, Any]:
    play(rig, "instance_create")
    assert rig.get("/").status == 503, "a site without a deployment must say that it is closed"
    play(rig, "release_build", **first)
    play(rig, "deployment_create", **first, database_source="empty")
    play(rig, "product_steps", **first, steps=rig.product["install"])
    play(rig, "deployment_start", **first)
    play(rig, "deployment_switch", **first, leave_maintenance=True)
    return untouched


@pytest.mark.usefixtures("installed")
def test_the_installed_crm_serves_through_nginx(rig: Rig) -> None:
    answer = rig.get("/login")
    assert answer.status == 200
    assert "Version 1.1" in answer.body
    assert rig.get("/static/style.css").body.startswith("body")


@pytest.mark.parametrize(
    ("playbook", "more"),
    [
        ("host_prepare", {}),
        ("instance_create", {}),
        ("release_build", {}),
        ("deployment_create", {"database_source": "empty"}),
        ("product_steps", {"steps": []}),
        ("deployment_start", {}),
        ("deployment_switch", {}),
    ],
)
@pytest.mark.usefixtures("installed")
def test_the_second_run_of_a_playbook_changes_nothing(rig: Rig, first: dict[str, Any], playbook: str, more: dict[str, Any]) -> None:
    run = play(rig, playbook, **first, **more)
    assert run.changed == 0, run.output


@pytest.mark.usefixtures("installed")
def test_an_environment_value_arrives_as_it_was_written(rig: Rig) -> None:
    assert rig.get("/environment").body == rig.product["environment"]["LEDGERLY_QUOTING"]


@pytest.mark.usefixtures("installed")
def test_a_launched_program_keeps_the_mark_of_its_operation_and_nothing_else(rig: Rig) -> None:
    launch = ["runuser", "-u", f"crm-{rig.name}", "--", str(rig.crm_root / "current" / "launch"), "env"]
    told = os.environ | {"APPLIANCE_OPERATION": "appliance-1234-5", "SURPRISE": "1"}
    seen = subprocess.run(launch, env=told, capture_output=True, text=True, check=True).stdout.splitlines()
    assert ("APPLIANCE_OPERATION=appliance-1234-5" in seen, "SURPRISE=1" in seen) == (True, False)


@pytest.mark.usefixtures("installed")
def test_the_crm_is_reached_through_peers_only(rig: Rig) -> None:
    roles = rig.sql("postgres", "select rolname, rolsuper, rolcreatedb from pg_roles where rolname like 'crm%' order by 1")
    assert roles.splitlines() == ["crm|f|f", "crm_metrics|f|f", "crm_monitor|f|f"]
    place = ["-h", str(rig.crm_root / "postgresql"), "-p", str(rig.port + 1), "-d", "crm_0001_1"]
    monitor = ["psql", "-qAtX", "-U", "crm_monitor", *place, "-c"]
    assert subprocess.run([*monitor, "select count(*) from entry"], capture_output=True, text=True, check=True).stdout == "20\n"
    refused = subprocess.run([*monitor, "delete from entry"], capture_output=True, text=True, check=False)
    assert refused.returncode != 0
    assert "read-only" in refused.stderr or "permission denied" in refused.stderr
    assert rig.sql("postgres", "show listen_addresses") == ""
    assert rig.sql("postgres", "show data_checksums") == "on"


@pytest.mark.usefixtures("installed")
def test_secrets_are_for_the_crm_alone_and_in_no_output(rig: Rig) -> None:
    run = play(rig, "instance_create")
    for name, value in rig.secrets.items():
        assert value not in run.output
        assert (rig.crm_root / "secrets" / name).stat().st_mode & 0o777 == 0o440
        assert (rig.crm_root / "secrets" / name).read_text() == value


@pytest.mark.usefixtures("installed")
def test_the_release_cannot_be_changed_by_the_crm(rig: Rig, first: dict[str, Any]) -> None:
    theirs = ["runuser", "-u", f"crm-{rig.name}", "--", "find", first["release"]["directory"], "-writable", "!", "-type", "l"]
    assert subprocess.run(theirs, capture_output=True, text=True, check=True, cwd="/").stdout == ""
    manifest = json.loads((Path(first["release"]["directory"]) / "manifest.json").read_text())
    assert manifest["version"] == "1.1"


@pytest.mark.usefixtures("installed")
def test_a_step_that_lies_about_its_success_fails_the_run(rig: Rig, first: dict[str, Any]) -> None:
    switches = rig.crm_root / "run/misbehave"
    switches.write_text("migrate_lies\n")
    try:
        run = rig.play("product_steps", **first, steps=rig.product["patch"]["steps"])
    finally:
        switches.unlink()
    assert not run.succeeded
    assert "nothing done" in run.output


@pytest.mark.usefixtures("installed")
def test_a_leftover_of_a_build_is_built_anew(rig: Rig, second: dict[str, Any]) -> None:
    leftover = Path(second["release"]["directory"])
    leftover.mkdir()
    (leftover / "half").write_text("written")
    play(rig, "release_build", **second)
    assert not (leftover / "half").exists()
    assert (leftover / "manifest.json").exists()


@pytest.mark.usefixtures("installed")
def test_maintenance_says_503_and_when_to_come_back(rig: Rig) -> None:
    play(rig, "maintenance", maintenance_state="on")
    answer = rig.get("/login")
    assert (answer.status, answer.headers["Retry-After"]) == (503, "77")
    assert "Back soon." in answer.body
    assert play(rig, "maintenance", maintenance_state="on").changed == 0
    other = {"message": "Back at noon.", "retry_after_seconds": 88}
    play(rig, "maintenance", maintenance_state="on", maintenance=other)
    answer = rig.get("/login")
    assert (answer.headers["Retry-After"], "Back at noon." in answer.body) == ("88", True)
    assert play(rig, "maintenance", maintenance_state="off").changed == 1
    assert rig.get("/login").status == 200


@pytest.mark.usefixtures("installed")
def test_a_standby_follows_what_is_written_meanwhile(rig: Rig, second: dict[str, Any], following: dict[str, Any]) -> None:
    standby = {**second, **following, "database_source": "standby"}
    assert play(rig, "deployment_create", **standby).changed > 0
    assert play(rig, "deployment_create", **standby).changed == 0
    rig.sql("crm_0001_1", "create table written_meanwhile as select 1 as one")
    count = "select count(*) from pg_class where relname = 'written_meanwhile'"
    wait_for(lambda: rig.sql("crm_0001_1", count, cluster=1) == "1")


@pytest.mark.usefixtures("installed")
def test_a_standby_that_stands_still_is_not_waited_for(rig: Rig) -> None:
    told = rig.variables()["crm"] | {"still_seconds": 0.5}  # the cluster that serves follows no other
    awaited = subprocess.run(["python3", CLUSTERS, "catch_up", json.dumps(told)], capture_output=True, text=True, check=False)
    assert (awaited.returncode, "came no further" in awaited.stderr, "Its log ends with: " in awaited.stderr) == (1, True, True)


@pytest.mark.usefixtures("installed")
def test_an_upgrade_migrates_the_standby_and_switches(
    rig: Rig, first: dict[str, Any], second: dict[str, Any], migration: dict[str, Any]
) -> None:
    play(rig, "maintenance", maintenance_state="on", stop_deployment=True, previous=first["deployment"])
    play(rig, "deployment_migrate", **second, **migration)
    assert rig.get("/login").status == 503, "closed until the switch"
    assert "Version 2.0" in rig.get("/login", port=second["deployment"]["port"]).body
    assert queues(rig, "0002-2") == [], "it would act on what may be rolled back"
    play(rig, "deployment_switch", **second, previous=first["deployment"], leave_maintenance=True)
    assert "Version 2.0" in rig.get("/login").body
    wait_for(lambda: len(queues(rig, "0002-2")) == 1)
    assert [rig.sql(f"crm_000{n}_{n}", "select series from ledgerly", cluster=n - 1) for n in (1, 2)] == ["1", "2"]
    assert rig.sql("crm_0002_2", "select count(*) from prepared_for_2", cluster=1) == "1"
    assert rig.sql("crm_0002_2", "select count(*) from written_meanwhile", cluster=1) == "1"
    assert rig.sql("crm_0002_2", "show synchronous_commit", cluster=1) == "on"
    assert play(rig, "deployment_migrate", **second, **migration).changed == 0


def test_a_copy_within_a_cluster_waits_for_the_disk_again_however_often_it_is_asked_for(rig: Rig, second: dict[str, Any]) -> None:
    hop = second | {"deployment": rig.deployment("0003-3", "2.0"), "source": rig.clusters[1] | {"database": "template1"}, "steps": []}
    assert [play(rig, "deployment_migrate", **hop).changed > 0 for _ in range(2)] == [True, False]
    assert rig.sql("crm_0003_3", "show synchronous_commit", cluster=1) == "on"
    rig.sql("postgres", "drop database crm_0003_3", cluster=1)


def test_only_the_deployment_that_serves_starts_with_the_machine(rig: Rig, second: dict[str, Any]) -> None:
    rig.stop_supervisord()
    rig.start_supervisord()
    play(rig, "deployment_start", **second)
    states = {name.removeprefix(f"crm-{rig.name}-"): state for name, state in rig.status().items()}
    assert states == {"0001-1-queue": "STOPPED", "0001-1-web": "STOPPED", "0002-2-queue": "RUNNING", "0002-2-web": "RUNNING",
                      "nginx": "RUNNING", "postgresql": "RUNNING", "postgresql-1": "RUNNING"}  # fmt: skip


def test_a_stop_returns_when_no_process_is_left_even_of_a_killed_supervisord(rig: Rig, second: dict[str, Any]) -> None:
    assert rig.supervisord is not None
    rig.supervisord.send_signal(signal.SIGKILL)
    rig.supervisord.wait()
    subprocess.run(["pkill", "-QUIT", "-F", str(rig.root / "nginx.pid")], check=True)
    (rig.root / "supervisor.sock").unlink(missing_ok=True)
    rig.start_supervisord()
    play(rig, "deployment_stop", **second)
    # by its path, too: users of containers on this machine may have the same number
    left = ["pgrep", "--runstates", "R,S,D,T", "-u", f"crm-{rig.name}", "-f", str(rig.root)]
    assert subprocess.run(left, capture_output=True, check=False).returncode == 1


def test_the_way_back_is_a_switch(rig: Rig, first: dict[str, Any], second: dict[str, Any]) -> None:
    play(rig, "deployment_start", **first)
    play(rig, "deployment_switch", **first, previous=second["deployment"])
    assert "Version 1.1" in rig.get("/login").body
    refused = rig.play("deployment_remove", **first, drop_database=True)
    assert not refused.succeeded, "the deployment that serves must not be removed"
    run = play(rig, "deployment_remove", **second, drop_database=True, drop_cluster=True)
    assert run.changed > 0
    assert play(rig, "deployment_remove", **second, drop_database=True, drop_cluster=True).changed == 0
    assert not list(Path("/var/lib/postgresql").glob(f"*/{rig.clusters[1]['cluster']}"))


def test_a_standby_that_was_lost_is_made_anew(
    rig: Rig, second: dict[str, Any], following: dict[str, Any], migration: dict[str, Any]
) -> None:
    play(rig, "deployment_create", **second, **following, database_source="standby")
    rig.sql("postgres", "select pg_promote()", cluster=1)
    rig.sql("crm_0001_1", "insert into written_meanwhile values (2)")
    play(rig, "deployment_migrate", **second, **migration)
    assert rig.sql("crm_0002_2", "select count(*) from written_meanwhile", cluster=1) == "2"
    play(rig, "deployment_remove", **second, drop_database=True, drop_cluster=True)


def test_a_migration_that_was_cut_off_begins_with_what_the_original_has(
    rig: Rig, second: dict[str, Any], following: dict[str, Any], migration: dict[str, Any]
) -> None:
    rig.sql("postgres", "comment on database crm_0001_1 is 'complete'")  # as after an upgrade that led to it
    play(rig, "deployment_create", **second, **following, database_source="standby")
    failing = migration | {"steps": [{"name": "broken", "command": "false"}], "start_services": False}
    assert not rig.play("deployment_migrate", **second, **failing).succeeded
    rig.sql("crm_0002_2", "truncate entry", cluster=1)
    play(rig, "deployment_migrate", **second, **migration)
    assert rig.sql("crm_0002_2", "select count(*) from entry", cluster=1) == "20"
    play(rig, "deployment_remove", **second, drop_database=True, drop_cluster=True)


def test_the_background_of_a_copy_runs_at_once_and_reaches_no_network(rig: Rig, second: dict[str, Any]) -> None:
    copy = second | {"crm": rig.variables()["crm"], "deployment": second["deployment"] | {"role": "scratch"}}
    play(rig, "deployment_create", **copy, database_source="empty")
    play(rig, "deployment_start", **copy)
    wait_for(lambda: len(queues(rig, "0002-2")) == 1)
    (queue,) = queues(rig, "0002-2")
    devices = Path(f"/proc/{queue}/net/dev").read_text().splitlines()[2:]
    assert [(line.split()[0], line.split()[1]) for line in devices] == [("lo:", "0")]
    play(rig, "deployment_stop", **copy)


def test_a_service_that_ends_at_once_is_reported_with_its_last_lines(rig: Rig, second: dict[str, Any]) -> None:
    copy = second["deployment"] | {"role": "scratch"}
    beside = second | {"crm": rig.variables()["crm"], "deployment": copy}
    play(rig, "deployment_create", **beside, database_source="empty")
    (rig.crm_root / "run/misbehave").write_text("2.0:queue_dies\n")
    run = rig.play("deployment_start", **beside, start_timeout_seconds=30)
    assert not run.succeeded
    assert "told to die" in run.output


def test_a_playbook_killed_halfway_converges_when_run_again(rig: Rig) -> None:
    third = {"release": rig.release("3.0"), "deployment": rig.deployment("0003-3", "3.0")}
    file = rig.root / "run/killed.json"
    file.write_text(json.dumps(rig.variables() | third))
    command = rig.command("release_build", file)
    quiet = subprocess.DEVNULL
    running = subprocess.Popen(command, stdout=quiet, stderr=quiet, start_new_session=True, env=rig.environment())
    deadline = time.monotonic() + 60
    while not (Path(third["release"]["directory"]) / "lock.txt").exists() and time.monotonic() < deadline:
        time.sleep(0.02)
    os.killpg(running.pid, signal.SIGKILL)
    running.wait()
    play(rig, "release_build", **third)
    assert play(rig, "release_build", **third).changed == 0


def test_nothing_is_left_of_a_removed_instance(rig: Rig, untouched: dict[str, Any]) -> None:
    play(rig, "instance_remove")
    assert traces(rig) == untouched
    assert play(rig, "instance_remove").changed == 0
