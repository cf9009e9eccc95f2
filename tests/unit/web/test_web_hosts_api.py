"""The hosts for programs."""

import pytest

from appliance.domain.operation import OperationStatus
from appliance.hosts.host_keys import fingerprint
from appliance.hosts.log_in_keys import make_key
from appliance.operations.machines import KEY_SECRET
from tests.support.far_machine import FarMachine
from tests.support.web_world import HOST_KEY, PanelWorld

SECRET = make_key()


def test_hosts_are_given_with_what_was_seen_of_them(world: PanelWorld) -> None:
    localhost, web1 = world.program_of("Victor").get("/api/v1/hosts").json()
    assert (localhost["name"], localhost["fingerprint"], localhost["policy"], localhost["instances"]) == (
        "localhost",
        None,
        None,
        ["sales"],
    )
    assert (web1["fingerprint"], web1["instances"], web1["facts"]["cpus"]) == (fingerprint(HOST_KEY), [], 2)
    assert web1["policy"] == {"firewall": False, "time_sync": True, "security_updates": True}
    assert world.program_of("Oscar").get("/api/v1/instances/sales").json()["host"] == "localhost"


def test_a_host_is_prepared_as_asked(world: PanelWorld) -> None:
    answer = world.program_of("Oscar").post("/api/v1/hosts/web1/prepare", json={"firewall": True})
    told = answer.json()
    assert (answer.status_code, answer.headers["location"]) == (202, "/api/v1/operations/1")
    assert (told["kind"], told["instance"], told["parameters"]["firewall"]) == ("host-prepare", "host:web1", True)
    assert "host web1 is busy with operation 1" in world.program_of("Oscar").post("/api/v1/hosts/web1/prepare").json()["detail"]


def test_a_machine_that_does_not_answer_is_told_as_such(world: PanelWorld) -> None:
    program = world.program_of("Alice")
    web2 = {"name": "web2", "address": "127.0.0.1", "port": 1}
    asked = [("/api/v1/hosts/scan", web2), ("/api/v1/hosts", web2 | {"fingerprint": "SHA256:x"})]
    for address, body in [*asked, ("/api/v1/hosts/web1/trust", {"fingerprint": "SHA256:x"})]:
        answer = program.post(address, json=body)
        assert (answer.status_code, answer.headers["content-type"]) == (504, "application/problem+json")
        assert "No SSH server answers at 127.0.0.1 port 1. Nothing was changed" in answer.json()["detail"]


def test_the_key_that_a_machine_shows_is_given_and_trusted_once_it_is_confirmed(world: PanelWorld, machine: FarMachine) -> None:
    program = world.program_of("Alice")
    there = {"name": "web2", "address": "192.0.2.2"}
    told = program.post("/api/v1/hosts/scan", json=there).json()
    assert told == {"host_key": machine.host_key, "fingerprint": fingerprint(machine.host_key)}
    other = program.post("/api/v1/hosts", json=there | {"fingerprint": fingerprint(HOST_KEY)})
    assert (other.status_code, "shows the key" in other.json()["detail"]) == (409, True)
    machine.refuse()
    refused = program.post("/api/v1/hosts", json=there | {"fingerprint": told["fingerprint"], "private_key": SECRET})
    assert (refused.status_code, "does not let the appliance log in" in refused.json()["detail"]) == (409, True)
    machine.let_in()
    added = program.post("/api/v1/hosts", json=there | {"fingerprint": told["fingerprint"], "private_key": SECRET})
    assert (added.status_code, added.headers["location"], added.json()["state"]) == (201, "/api/v1/hosts/web2", "added")
    assert SECRET.splitlines()[1] not in added.text + program.get("/api/v1/hosts/web2").text
    assert world.appliance.store.vault.get("host:web2", KEY_SECRET) == SECRET


@pytest.mark.parametrize(
    "body", [{"private_key": SECRET, "colour": "red"}, {"private_key": f"{SECRET}x", "port": 1}, {"private_key": [SECRET]}]
)
def test_a_private_key_is_in_no_answer(world: PanelWorld, body: dict[str, object]) -> None:
    machine = {"name": "web2", "address": "127.0.0.1", "fingerprint": "SHA256:x"}
    answer = world.program_of("Alice").post("/api/v1/hosts", json=machine | body)
    assert answer.status_code in (422, 504)
    assert SECRET.splitlines()[1] not in answer.text


def test_a_host_that_was_set_up_anew_is_trusted_by_its_new_key(world: PanelWorld, machine: FarMachine) -> None:
    store = world.appliance.store
    expected = fingerprint(machine.host_key)
    told = world.program_of("Alice").post("/api/v1/hosts/web1/trust", json={"fingerprint": expected}).json()
    assert (told["fingerprint"], store.hosts.get("web1").host_key) == (expected, machine.host_key)


def test_a_host_is_forgotten_unless_it_is_used(world: PanelWorld) -> None:
    program, store = world.program_of("Alice"), world.appliance.store
    assert program.delete("/api/v1/hosts/localhost").status_code == 409
    program.post("/api/v1/hosts/web1/prepare")
    assert program.delete("/api/v1/hosts/web1").status_code == 409
    store.operations.finish(1, OperationStatus.FAILED, now=world.moment)
    assert program.delete("/api/v1/hosts/web1").status_code == 204
    assert program.get("/api/v1/hosts/web1").status_code == 404
    with store.database.engine.connect() as connection:
        assert connection.exec_driver_sql("SELECT actor, action, subject FROM audit").all()[-1] == ("Alice", "host remove", "host:web1")


def test_the_description_tells_of_the_hosts_and_hides_the_key(world: PanelWorld) -> None:
    told = world.program_of("Victor").get("/api/v1/openapi.json").json()
    assert {"201", "409", "422", "502", "504"} <= set(told["paths"]["/api/v1/hosts"]["post"]["responses"])
    secret = told["components"]["schemas"]["NewHostBody"]["properties"]["private_key"]["anyOf"][0]
    assert (secret["format"], secret["writeOnly"]) == ("password", True)
