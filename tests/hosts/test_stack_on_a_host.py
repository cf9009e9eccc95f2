"""Debian's Prometheus, Alertmanager and exporters come to a host and go again; the tests of a file go on where the one before has ended."""

import json
import re
from collections.abc import Iterator

import pytest

from appliance.domain.operation import OperationStatus
from appliance.operations.stack.places import DIRECTORY, PORTS
from tests.hosts.stage import a_stage
from tests.hosts.world import World
from tests.lab import places
from tests.lab.host import LabHost
from tests.lab.lab import Lab
from tests.support.house import wait_for
from tests.support.receivers import free_port

MOST_EXPOSED = 3.0
WITHOUT_CRM = {package: port for package, port in PORTS.items() if "postgres" not in package}
"""On a host that has no CRM there is no database to be asked."""
SECRET = "a-word-that-nobody-guesses"
MAIL = f"mailto://ops:{SECRET}@127.0.0.1:2525?from=crm@example.org&to=ops@example.org&mode=insecure"


@pytest.fixture(scope="module", params=["bookworm", "trixie"])
def world(lab: Lab, clean: None, request: pytest.FixtureRequest) -> Iterator[World]:  # noqa: ARG001 - it needs a clean ground
    """A prepared host, and an appliance whose metrics it can reach once the monitor runs."""
    with a_stage(lab) as stage:
        yield stage.open(stage.prepared(request.param), metrics_listen=f"{places.BRIDGE_ADDRESS}:{free_port()}")


@pytest.fixture
def host(world: World) -> LabHost:
    return world.hosts["web1"]


def refusal(world: World, *words: str, code: int) -> str:
    """What the command line says, in one line."""
    ended = world.command("stack", "install", *(words or ("web1",)))
    assert ended.returncode == code, ended.stdout + ended.stderr
    return " ".join((ended.stdout + ended.stderr).split())


def left_alone(host: LabHost) -> None:
    """Nothing of the stack is there."""
    assert host.run(f"ls -d {DIRECTORY} /etc/systemd/system/prometheus*.service.d", check=False).stdout == ""
    assert "prometheus" not in host.run("dpkg-query --show --showformat='${Package}\\n'").stdout


def test_what_stands_against_it_is_said_before_anything_is_changed(world: World, host: LabHost) -> None:
    assert "web9" in refusal(world, "web9", code=2)
    assert "does not reach the metrics at" in refusal(world, code=4)
    world.start("monitor")
    door = world.settings.metrics_listen.replace(":", "/")
    wait_for(lambda: host.run(["bash", "-c", f"</dev/tcp/{door}"], check=False).returncode == 0, seconds=30)
    host.run("systemd-run --quiet --unit=other python3 -m http.server 9093")
    wait_for(lambda: ":9093" in host.run("ss -Hltn").stdout, seconds=20)
    assert "python3 listens on port 9093 of web1, where the stack is to answer" in refusal(world, code=4)
    host.run("systemctl stop other; mv /var/lib/apt/lists /var/lib/apt/lists.away; mkdir /var/lib/apt/lists")
    assert "apt on web1 has no package prometheus;" in refusal(world, code=4)
    host.run("rm -r /var/lib/apt/lists; mv /var/lib/apt/lists.away /var/lib/apt/lists")
    assert "'nobody' is no heartbeat channel" in refusal(world, "web1", "--dead-man", "nobody", code=2)
    left_alone(host)


def test_it_comes_listens_on_the_loopback_address_only_and_reads_everything(world: World, host: LabHost) -> None:
    listening = watch_listeners(host)
    world.done("notification", "add", "ops", "--url-file", secret_file(world))
    said = world.done("stack", "install", "web1")
    assert "Prometheus reads everything" in " ".join(said.split())
    host.run("systemctl stop watching")
    seen = host.run(f"cat {listening}").stdout
    open_to_others = {
        line for line in seen.splitlines() if re.search(r":(9\d{3})$", line) and not line.startswith(("127.0.0.1:", "[::1]:"))
    }
    assert open_to_others == set()
    assert {int(port) for port in re.findall(r"127\.0\.0\.1:(9\d{3})$", seen, re.MULTILINE)} >= set(WITHOUT_CRM.values())


def watch_listeners(host: LabHost) -> str:
    """From here on write down, ten times a second, who listens."""
    file = "/root/listening"
    host.run(
        ["systemd-run", "--quiet", "--unit=watching", "sh", "-c", f"while :; do ss -Hltn | awk '{{print $4}}' >>{file}; sleep .1; done"]
    )
    return file


def secret_file(world: World) -> str:
    file = world.directory / "address"
    file.write_text(MAIL)
    return str(file)


def test_a_second_run_changes_nothing(world: World) -> None:
    assert "nothing was missing" in " ".join(world.done("stack", "install", "web1").split())


def test_secrets_are_in_files_that_only_root_and_the_programs_read(world: World, host: LabHost) -> None:
    token = world.appliance.store.vault.get("metrics", "token")
    found = host.run(f"grep -rlF -e {SECRET} -e {token} /etc /run /tmp /root /var/log /var/lib/crm-monitoring || true").stdout.split()
    assert sorted(found) == [f"{DIRECTORY}/metrics.token", f"{DIRECTORY}/ops.password"]
    modes = set(host.run(f"stat -c '%U:%G %a' {DIRECTORY}/*").stdout.splitlines())
    assert modes == {"root:prometheus 640"}
    assert SECRET not in host.run("cat /proc/[0-9]*/cmdline | tr '\\0' ' '").stdout


def test_no_part_may_do_much(host: LabHost) -> None:
    for unit in WITHOUT_CRM:
        said = host.run(["systemd-analyze", "security", "--no-pager", unit]).stdout
        exposure = re.search(r"Overall exposure level for \S+: ([\d.]+)", said)
        assert exposure, said
        assert float(exposure[1]) <= MOST_EXPOSED, said


def test_the_exporters_see_the_machine_and_the_hosts(host: LabHost) -> None:
    unconfined = ["systemd-run", "--quiet", "--unit=unconfined", "--uid=prometheus", "prometheus-node-exporter"]
    host.run([*unconfined, "--web.listen-address=127.0.0.1:9199"])
    wait_for(lambda: ":9199" in host.run("ss -Hltn").stdout, seconds=20)
    assert collected(host, 9100) == collected(host, 9199) != ""
    host.run("systemctl stop unconfined")
    query = "curl -fsS --data-urlencode 'query=probe_success{job=\"host\"}' http://127.0.0.1:9090/api/v1/query"
    wait_for(lambda: '"value"' in host.run(query).stdout, seconds=60)
    (found,) = json.loads(host.run(query).stdout)["data"]["result"]
    assert (found["metric"]["host"], found["value"][1]) == ("web1", "1")


def collected(host: LabHost, port: int) -> str:
    """What the node exporter on that port can look at, and what not."""
    return host.run(f"curl -fsS http://127.0.0.1:{port}/metrics | grep ^node_scrape_collector_success | sort").stdout


def test_a_configuration_that_cannot_be_used_is_never_put_in_place(world: World, host: LabHost) -> None:
    before = host.run(f"cat {DIRECTORY}/alertmanager.yml").stdout
    host.run("mv /usr/bin/amtool /usr/bin/amtool.away; ln -s /bin/false /usr/bin/amtool")
    world.done("notification", "add", "desk", "--url-file", hook_file(world))
    wait_for(lambda: world.appliance.store.operations.list()[0].requested_by == "the appliance", seconds=120)  # there is more to tell of
    newest = world.appliance.store.operations.list()[0].id
    assert world.ended(newest).status is OperationStatus.FAILED, world.log_of(newest)
    host.run("mv -f /usr/bin/amtool.away /usr/bin/amtool")
    assert host.run(f"cat {DIRECTORY}/alertmanager.yml").stdout == before
    assert "desk" not in host.run("curl -fsS http://127.0.0.1:9093/api/v2/status").stdout
    world.done("stack", "install", "web1")
    assert "desk" in host.run("curl -fsS http://127.0.0.1:9093/api/v2/status").stdout


def hook_file(world: World) -> str:
    file = world.directory / "hook"
    file.write_text("json://127.0.0.1:8099/desk")
    return str(file)


def test_killed_in_the_middle_it_goes_on_and_over_a_boot_it_is_there_again(world: World, host: LabHost) -> None:
    world.done("stack", "remove", "web1")
    operation = world.request("monitoring-stack", "host:web1")
    wait_for(lambda: "prometheus" in host.run("ls /etc/systemd/system").stdout, seconds=120)
    world.kill_carrier(operation)
    assert world.ended(operation).status is OperationStatus.SUCCEEDED, world.log_of(operation)
    host.reboot()
    for port in WITHOUT_CRM.values():
        wait_for(lambda port=port: f"127.0.0.1:{port} " in host.run("ss -Hltn").stdout, seconds=60)
    world.done("stack", "install", "web1")


def test_removed_it_leaves_what_was_measured_and_purged_nothing(world: World, host: LabHost) -> None:
    assert "removed" in world.done("stack", "remove", "web1")
    left_alone(host)
    assert host.run("ls /var/lib/crm-monitoring/prometheus").stdout != ""
    assert "nothing of it was there" in " ".join(world.done("stack", "remove", "web1").split())
    world.done("stack", "remove", "web1", "--purge")
    assert host.run("ls -d /var/lib/crm-monitoring", check=False).stdout == ""
    assert "127.0.0.1:9" not in host.run("ss -Hltn").stdout


def test_somebody_elses_prometheus_is_left_alone(world: World, host: LabHost) -> None:
    host.run("DEBIAN_FRONTEND=noninteractive apt-get install -qy --no-install-recommends prometheus-node-exporter")
    said = refusal(world, code=4)
    assert "prometheus-node-exporter is installed on web1 already, and not by the appliance" in said
    assert host.run("systemctl show --property=DropInPaths prometheus-node-exporter").stdout.strip() == "DropInPaths="
