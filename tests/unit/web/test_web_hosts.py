"""The pages of the hosts: what they show, and what they ask of a machine."""

from dataclasses import replace
from datetime import timedelta

import pytest

from appliance.domain.host import HostState
from appliance.domain.operation import OperationStatus
from appliance.hosts.host_keys import fingerprint
from appliance.hosts.log_in_keys import make_key
from appliance.operations.machines import KEY_SECRET
from appliance.operations.stack.kept import keep_stack
from appliance.web.app import create_app
from appliance.web.sessions import SESSION_COOKIE
from tests.support.far_machine import FAR_KEY, FarMachine
from tests.support.web_world import FACTS, HOST_KEY, NOON, Browser, PanelWorld, client_of, run_operation
from tests.unit.web.test_web_pages import text_of

SECRET = make_key()
WEB2 = {"name": "web2", "address": "192.0.2.2", "port": "22", "user": "admin"}


def names(world: PanelWorld) -> list[str]:
    return [host.name for host in world.appliance.store.hosts.list()]


def test_the_list_tells_of_each_host_at_a_glance(world: PanelWorld, victor: Browser) -> None:
    world.appliance.store.hosts.see("web1", FACTS | {"reboot_required": True}, now=NOON - timedelta(hours=2))
    page = victor.get("/hosts").text
    rows = text_of(page[page.index("<main") :])
    for wanted in (
        "localhost this machine not seen yet 1 CRM",
        "web1 admin@127.0.0.1 port 1 Debian GNU/Linux 12 (bookworm) seen 2 hours ago",
    ):
        assert wanted in rows
    assert "no CRM 20.0 GiB free Reboot required Ready" in rows
    assert "The host web1 waits to be started anew" in victor.get("/").text
    world.moment = NOON + timedelta(hours=23)
    assert "waits to be started anew" not in world.browser_of("Victor").get("/").text  # it may have been, since


def test_a_host_is_told_in_plain_words(victor: Browser) -> None:
    text = text_of(victor.get("/hosts/web1").text)
    for wanted in (
        "Processors 2",
        "Memory 4.0 GiB",
        "Disk /var 20.0 GiB free of 50.0 GiB",
        "Security updates 3 wait to be installed",
        "firewall off, time synchronisation on, security updates on",
        fingerprint(HOST_KEY),
    ):
        assert wanted in text


def test_an_operation_on_a_host_is_called_after_it_and_leads_to_it(world: PanelWorld, oscar: Browser) -> None:
    assert oscar.post("/hosts/web1/prepare", {"firewall": "yes"}).headers["location"] == "/operations/1"
    assert world.operations()[0].parameters == {"firewall": True, "time_sync": False, "security_updates": False}
    page = oscar.get("/operations/1").text
    assert 'href="/hosts/web1"' in page
    assert "Prepare · host web1" in text_of(page)
    world.appliance.store.operations.finish(1, OperationStatus.FAILED, now=NOON)
    assert "Prepare of host web1: failed." in text_of(oscar.get("/").text)
    assert '<option value="host:web1" selected>host web1</option>' in oscar.get("/operations?instance=host:web1").text
    for address in ("/", "/operations", "/operations/1", "/hosts/web1"):
        assert "/instances/host:" not in oscar.get(address).text


def test_prometheus_is_offered_on_a_prepared_host_and_asked_for_by_administrators(
    world: PanelWorld, alice: Browser, oscar: Browser
) -> None:
    assert "Install Prometheus" in alice.get("/hosts/web1").text
    assert "Remove Prometheus" not in alice.get("/hosts/web1").text
    assert "Prometheus" not in oscar.get("/hosts/web1").text
    assert "Prometheus" not in text_of(alice.get("/hosts/localhost").text)
    refused = alice.post("/hosts/web1/stack", {"action": "install"})
    assert (refused.status_code, "metrics_listen" in refused.text) == (409, True)
    keep_stack(world.appliance, "web1", "")
    assert "Bring up to date" in alice.get("/hosts/web1").text
    assert alice.post("/hosts/web1/stack", {"action": "remove"}).headers["location"] == "/operations/1"
    assert world.operations()[0].parameters == {"wanted": False, "purge": False, "dead_man": None}


def test_a_host_that_is_busy_says_with_what(oscar: Browser) -> None:
    oscar.post("/hosts/localhost/prepare")
    answer = oscar.post("/hosts/localhost/prepare")
    assert (answer.status_code, "host localhost is busy with operation 1" in answer.text) == (409, True)


def test_a_machine_is_added_once_its_key_was_compared(world: PanelWorld, alice: Browser, machine: FarMachine) -> None:
    first = alice.get("/add-host").text
    assert "ssh-ed25519 AAAA" in first
    assert 'name="key"' not in first
    page = alice.post("/add-host", WEB2).text
    assert fingerprint(machine.host_key) in page
    assert "ssh-keygen -lf /etc/ssh/ssh_host_ed25519_key.pub" in page
    assert names(world) == ["localhost", "web1"]
    typed = SECRET.replace("\n", "\r\n")
    answer = alice.post("/add-host/confirm", WEB2 | {"fingerprint": fingerprint(machine.host_key), "key": typed})
    assert (answer.status_code, answer.headers["location"]) == (303, "/hosts/web2")
    host = world.appliance.store.hosts.get("web2")
    assert (host.host_key, host.state, host.user) == (FAR_KEY, HostState.ADDED, "admin")
    assert world.appliance.store.vault.get("host:web2", KEY_SECRET) == SECRET
    text = text_of(alice.get("/").text)
    assert "The host web2 is not prepared yet." in text


def test_a_private_key_comes_back_on_no_page_whatever_is_wrong(world: PanelWorld, alice: Browser, machine: FarMachine) -> None:
    confirmed = WEB2 | {"fingerprint": fingerprint(machine.host_key), "key": SECRET}
    machine.refuse()
    wrong: tuple[dict[str, str], ...] = (
        {"name": "web1"},
        {"name": "../x"},
        {"fingerprint": "SHA256:x"},
        {"key": SECRET[40:]},
        {"csrf": "x"},
        {},
    )
    answers = [alice.post("/add-host/confirm", confirmed | change) for change in wrong]
    assert [answer.status_code for answer in answers] == [409, 422, 409, 422, 403, 409]
    assert all(line not in answer.text for answer in answers for line in SECRET.splitlines()[1:-1])
    assert "does not let the appliance log in" in answers[-1].text
    assert names(world) == ["localhost", "web1"]
    with world.appliance.store.database.engine.connect() as connection:
        tables = connection.exec_driver_sql("SELECT group_concat(detail) FROM audit").scalar()
    assert tables is None


@pytest.mark.parametrize(
    ("typed", "status", "told"),
    [
        ({"address": "127.0.0.1", "port": "1"}, 504, "No SSH server answers at 127.0.0.1 port 1"),
        ({"address": "-oProxyCommand=x"}, 422, "is neither a host name nor an IP address"),
        ({"port": "0x16"}, 422, "is not a port"),
        ({"name": "localhost"}, 422, "cannot name a host"),
        ({"name": "<b>"}, 422, "&lt;b&gt;"),
    ],
)
def test_a_first_step_that_leads_nowhere_keeps_what_was_typed(alice: Browser, typed: dict[str, str], status: int, told: str) -> None:
    answer = alice.post("/add-host", WEB2 | typed)
    assert (answer.status_code, told in answer.text) == (status, True)
    assert 'value="admin"' in answer.text


def test_another_key_is_trusted_once_it_was_compared(world: PanelWorld, alice: Browser, machine: FarMachine) -> None:
    page = alice.get("/hosts/web1/trust").text
    assert page.index(fingerprint(HOST_KEY)) < page.index(fingerprint(machine.host_key))
    assert alice.post("/hosts/web1/trust", {"fingerprint": fingerprint(HOST_KEY)}).status_code == 409
    assert alice.post("/hosts/web1/trust", {"fingerprint": fingerprint(machine.host_key)}).status_code == 303
    assert world.appliance.store.hosts.get("web1").host_key == machine.host_key
    assert "there is nothing to change" in alice.get("/hosts/web1/trust").text


def test_a_host_that_does_not_answer_is_not_trusted(alice: Browser) -> None:
    for answer in (alice.get("/hosts/web1/trust"), alice.post("/hosts/web1/trust", {"fingerprint": "SHA256:x"})):
        assert (answer.status_code, "No SSH server answers" in answer.text, "Ask again" in answer.text) == (504, True, True)
    assert alice.get("/hosts/localhost/trust").status_code == 409


@pytest.mark.parametrize("typed", ["", "web2"])
def test_a_host_is_forgotten_only_when_its_name_is_typed(world: PanelWorld, alice: Browser, typed: str) -> None:
    answer = alice.post("/hosts/web1/remove", {"confirmation": typed})
    assert (answer.status_code, "Type web1 to go on" in answer.text, names(world)) == (422, True, ["localhost", "web1"])
    assert alice.post("/hosts/web1/remove", {"confirmation": "web1"}).headers["location"] == "/hosts"
    assert names(world) == ["localhost"]


def test_a_host_with_crms_is_not_forgotten(world: PanelWorld, alice: Browser) -> None:
    with world.appliance.store.database.engine.begin() as connection:
        connection.exec_driver_sql("UPDATE instances SET host = 'web1'")
    answer = alice.post("/hosts/web1/remove", {"confirmation": "web1"})
    assert (answer.status_code, "sales is on the host web1" in answer.text) == (409, True)
    assert "sales is on it." in text_of(alice.get("/hosts/web1/remove").text)
    assert alice.post("/hosts/localhost/remove", {"confirmation": "localhost"}).status_code == 409


def test_a_crm_says_where_it_is_when_there_is_a_choice(world: PanelWorld, victor: Browser) -> None:
    assert all('href="/hosts/localhost"' in victor.get(address).text for address in ("/", "/instances/sales"))
    assert "on localhost" in victor.get("/instances").text
    world.appliance.store.hosts.remove("web1")
    assert all('href="/hosts/localhost"' not in victor.get(address).text for address in ("/", "/instances/sales"))
    assert "on localhost" not in victor.get("/instances").text


def test_a_crm_is_installed_on_the_host_that_was_chosen(world: PanelWorld, alice: Browser) -> None:
    assert '<option value="web1" selected>web1 (127.0.0.1)</option>' in alice.get("/install?host=web1").text
    fields = {"product": "creme", "name": "support", "host": "web1", "domain": "crm.example.org", "tls": "private-ca"}
    assert alice.post("/install", fields).status_code == 303
    assert world.operations()[0].parameters["host"] == "web1"


def test_a_host_that_is_not_prepared_is_not_offered(world: PanelWorld, alice: Browser) -> None:
    host = world.appliance.store.hosts.get("web1")
    world.appliance.store.hosts.remove("web1")
    world.appliance.store.hosts.add(replace(host, state=HostState.ADDED))
    assert 'id="host"' not in alice.get("/install").text
    answer = alice.post("/install", {"product": "creme", "name": "support", "host": "web1"})
    assert (answer.status_code, "is not prepared yet" in answer.text) == (409, True)


def test_a_panel_that_has_no_rights_on_its_machine_offers_other_hosts_only(world: PanelWorld) -> None:
    settings = world.appliance.settings.model_copy(update={"production": True})
    app = create_app(replace(world.appliance, settings=settings), clock=lambda: world.moment)
    alice = Browser(
        client=client_of(app, {"Cookie": f"{SESSION_COOKIE}={world.appliance.store.access.open_session('Alice', now=NOON)[0]}"})
    )
    assert '<input type="hidden" name="host" value="web1">' in alice.get("/install").text
    world.appliance.store.hosts.remove("web1")
    assert "No host is prepared yet." in alice.get("/install").text


def test_a_viewer_looks_at_hosts_and_is_offered_nothing(world: PanelWorld, victor: Browser) -> None:
    run_operation(world.appliance, instance="host:web1", kind="host-prepare")
    for address in ("/hosts", "/hosts/web1", "/hosts/localhost"):
        page = victor.get(address).text
        assert page.count("<form") == 5  # to find something, to choose the theme (in two places) and the language, and to log out
        assert "/trust" not in page
        assert "/add-host" not in page
