"""What the stack is configured with: Debian's own programs accept it, where they are there, and it says what the appliance knows."""

import shutil
import subprocess
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import yaml

from appliance.domain.channel import Purpose
from appliance.domain.tls import Tls, TlsMode
from appliance.operations.channels import add_channel
from appliance.operations.stack import places
from appliance.operations.stack.files import StackFiles, stack_files
from appliance.operations.stack.kept import keep_stack, lent_heartbeats
from appliance.operations.stack.prometheus import AUTHORITY, CRM_AUTHORITIES, TOKEN
from appliance.operations.stack.receivers import receiver_of
from appliance.wiring import Appliance
from tests.support.operating import make_appliance, now
from tests.support.web_world import add_sales, add_web1

TREE = Path(__file__).resolve().parents[2]
ROLE = TREE / "playbooks" / "roles" / "monitoring_stack"
METRICS = ("192.0.2.1", 9471)
CHANNELS = {
    "ops": "mailtos://ops%40example.org:secret-word@mail.example.org:587?from=crm@example.org&to=ops@example.org",
    "desk": "json://hooks.example.org:8080/desk?-team=crm",
    "push": "ntfys://topic",
}


@pytest.fixture
def appliance(tmp_path: Path) -> Appliance:
    made = make_appliance(tmp_path, metrics_listen="192.0.2.1:9471")
    add_web1(made, port=2222)
    add_sales(made)
    add_sales(made, name="demo", slot=1, host="web1")
    for name, url in CHANNELS.items():
        crms, quiet = (["sales"], "22:00-06:30") if name == "desk" else ([], "")
        add_channel(made, name=name, url=url, crms=crms, quiet=quiet, zone="Europe/Berlin", requested_by="Alice", now=now())
    add_channel(made, name="outside", url="https://hc.example.org/beat", purpose=Purpose.HEARTBEAT, requested_by="Alice", now=now())
    return made


def made_for(appliance: Appliance) -> StackFiles:
    return stack_files(appliance, appliance.store.hosts.get("web1"), METRICS, now())


def read_back(files: StackFiles, name: str) -> dict[str, Any]:
    found: dict[str, Any] = yaml.safe_load(files.texts[name])
    return found


def laid_down(files: StackFiles, directory: Path) -> Path:
    """As on a host, but elsewhere."""
    for name, text in files.texts.items():
        (directory / name).write_text(text.replace(str(places.DIRECTORY), str(directory)))
    return directory


@pytest.mark.parametrize(
    ("program", "argv", "needs"),
    [
        ("promtool", ["check", "config", "prometheus.yml"], "prometheus"),
        ("amtool", ["check-config", "alertmanager.yml"], "prometheus-alertmanager"),
        ("prometheus-blackbox-exporter", ["--config.check", "--config.file=blackbox.yml"], "prometheus-blackbox-exporter"),
    ],
)
def test_the_programs_themselves_accept_it(appliance: Appliance, tmp_path: Path, program: str, argv: list[str], needs: str) -> None:
    if shutil.which(program) is None:
        pytest.skip(f"{program} comes with Debian's {needs}")
    keep_stack(appliance, "web1", "outside")
    directory = tmp_path / "stack"
    directory.mkdir()
    laid_down(made_for(appliance), directory)
    checked = subprocess.run([program, *argv], capture_output=True, text=True, check=False, cwd=directory)
    assert checked.returncode == 0, checked.stdout + checked.stderr


def test_the_role_and_the_configuration_agree_on_where_the_parts_listen() -> None:
    written = yaml.safe_load((ROLE / "vars" / "main.yml").read_text())
    parts = [*written["monitoring_stack_usual_parts"], *written["monitoring_stack_database_parts"]]
    assert {part["name"]: part["port"] for part in parts} == places.PORTS
    for part in parts:
        assert f"--web.listen-address={places.listens(part['name'])} " in part["command"] + " "


def test_prometheus_reads_the_appliance_by_a_token_in_a_file_and_never_by_its_text(appliance: Appliance) -> None:
    files = made_for(appliance)
    (job,) = [job for job in read_back(files, "prometheus.yml")["scrape_configs"] if job["job_name"] == "appliance"]
    assert (job["scheme"], job["static_configs"]) == ("https", [{"targets": ["192.0.2.1:9471"]}])
    assert job["authorization"] == {"credentials_file": f"{places.DIRECTORY}/{TOKEN}"}
    assert job["tls_config"] == {"ca_file": f"{places.DIRECTORY}/{AUTHORITY}"}
    token = files.texts[TOKEN]
    assert [name for name, text in files.texts.items() if token in text] == [TOKEN]


def test_every_crm_is_asked_at_the_address_of_its_visitors_and_every_host_at_its_door(appliance: Appliance) -> None:
    own = Tls(mode=TlsMode.PRIVATE_CA, trust="-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n")
    appliance.store.instances.protect("sales", replace(own, certificate="1"))
    files = made_for(appliance)
    asked = {
        target: (job["params"]["module"], group["labels"])
        for job in read_back(files, "prometheus.yml")["scrape_configs"]
        if job.get("metrics_path") == "/probe"
        for group in job["static_configs"]
        for target in group["targets"]
    }
    sales, demo = (appliance.store.instances.get(name) for name in ("sales", "demo"))
    assert asked[sales.url] == (["crm_own_authority"], {"crm": "sales", "host": sales.host})
    assert asked[demo.url] == (["crm"], {"crm": "demo", "host": demo.host})
    assert asked["127.0.0.1:2222"] == (["connects"], {"host": "web1"})
    assert files.texts[CRM_AUTHORITIES] == own.trust


def test_databases_are_asked_where_a_crm_is(appliance: Appliance) -> None:
    def jobs() -> set[str]:
        return {job["job_name"] for job in read_back(made_for(appliance), "prometheus.yml")["scrape_configs"]}

    assert "postgres" in jobs()
    appliance.store.instances.remove("demo")
    assert "postgres" not in jobs()


def test_alertmanager_tells_each_channel_what_it_is_for(appliance: Appliance) -> None:
    routes = read_back(made_for(appliance), "alertmanager.yml")["route"]["routes"]
    of = {
        name: [(route["matchers"], route.get("mute_time_intervals")) for route in routes if route["receiver"] == name] for name in CHANNELS
    }
    assert of["ops"] == [(['severity="critical"'], None), (['severity="warning"'], None)]
    quiet = ["22:00-06:30 Europe/Berlin"]
    assert of["desk"] == [
        (['severity="critical"', 'crm=~"sales"'], None),
        (['severity="critical"', 'crm=""', 'subject=~"sales"'], None),
        (['severity="warning"', 'crm=~"sales"'], quiet),
        (['severity="warning"', 'crm=""', 'subject=~"sales"'], quiet),
    ]
    assert all(route["continue"] for route in routes if route["receiver"] in CHANNELS)


def test_a_password_is_in_a_file_of_its_own_and_what_alertmanager_does_not_know_is_named(appliance: Appliance) -> None:
    files = made_for(appliance)
    assert [name for name, text in files.texts.items() if "secret-word" in text] == ["ops.password"]
    assert list(files.left_out) == ["push (ntfy)"]
    receivers = {one["name"]: one for one in read_back(files, "alertmanager.yml")["receivers"]}
    (mail,), (hook,) = receivers["ops"]["email_configs"], receivers["desk"]["webhook_configs"]
    assert (mail["smarthost"], mail["to"], mail["require_tls"]) == ("mail.example.org:587", "ops@example.org", True)
    assert (mail["auth_username"], mail["auth_password_file"]) == ("ops@example.org", f"{places.DIRECTORY}/ops.password")
    assert hook["url"] == "http://hooks.example.org:8080/desk?team=crm"


@pytest.mark.parametrize(
    "url",
    ["mailtos://a:b@mail.example.org:4650?mode=ssl", "json://h/p?+X-Key=secret", "json://h/p?method=GET", "slack://a/b/c", "no address"],
)
def test_what_alertmanager_cannot_do_in_the_same_way_it_is_not_told_to_do(url: str) -> None:
    assert receiver_of("ops", url) is None


def test_the_dead_man_is_told_by_prometheus_alone(appliance: Appliance) -> None:
    assert lent_heartbeats(appliance) == set()
    keep_stack(appliance, "web1", "outside")
    configuration = read_back(made_for(appliance), "alertmanager.yml")
    watchdog = configuration["route"]["routes"][0]
    assert watchdog["matchers"] == ['alertname="Watchdog"']
    (receiver,) = [one for one in configuration["receivers"] if one["name"] == watchdog["receiver"]]
    assert receiver["webhook_configs"] == [{"url": "https://hc.example.org/beat", "send_resolved": False}]
    assert lent_heartbeats(appliance) == {"outside"}


def test_nothing_about_bringing_a_crm_back_is_ever_left_out(appliance: Appliance) -> None:
    recovery = [rule["alert"] for rule in read_back(made_for(appliance), "rules-recovery.yml")["groups"][0]["rules"]]
    lesser = "|".join(rule["target_matchers"][0] for rule in read_back(made_for(appliance), "alertmanager.yml")["inhibit_rules"])
    assert recovery
    assert not [name for name in recovery if name in lesser]
