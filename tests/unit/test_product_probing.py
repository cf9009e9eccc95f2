"""Probes of a definition become probes with every address, path and account filled in."""

from typing import Any

import pytest
from pydantic import TypeAdapter

from appliance.errors import ConfigurationError
from appliance.products.catalogue import open_catalogue
from appliance.products.probing import Door, render_probes
from monitoring.probes import Probe

EVERYWHERE = "0.0.0.0"  # noqa: S104 - what an administrator enters
CREME = open_catalogue().get("creme")
VARIABLES: dict[str, dict[str, Any]] = {
    "crm": {
        "name": "demo",
        "root": "/srv/crm/demo",
        "user": "crm-demo",
        "cluster": "demo",
        "database_port": 5433,
        "socket_directory": "/run/postgresql",
        "address": EVERYWHERE,
        "port": 8080,
        "domain": "crm.example.org",
        "url": "http://crm.example.org:8080",
        "outside": "192.0.2.7",
    },
    "deployment": {
        "id": "0001-12",
        "directory": "/srv/crm/demo/deployments/0001-12",
        "files": "/srv/crm/demo/files/0001-12",
        "database": "crm_0001",
        "port": 8601,
        "role": "production",
        "mail": True,
        "release_directory": "/srv/crm/demo/releases/2.8.6-1",
    },
    "release": {
        "version": "2.8.6",
        "series": "2.8",
        "build": "1",
        "directory": "/srv/crm/demo/releases/2.8.6-1",
        "bin": "/srv/crm/demo/releases/2.8.6-1/venv/bin",
    },
    "settings": {"language": "en", "time_zone": "UTC"},
}


@pytest.mark.parametrize("door", list(Door))
def test_the_monitor_understands_every_rendered_probe(door: Door) -> None:
    probes = render_probes(CREME, VARIABLES, door=door, names=CREME.definition.probes_of("2.8.6"))

    understood = TypeAdapter(list[Probe]).validate_python(list(probes.values()))

    assert [probe.name for probe in understood] == list(probes)


def test_before_the_switch_the_deployment_is_asked_at_its_own_port() -> None:
    deep = render_probes(CREME, VARIABLES, door=Door.PRIVATE)["deep"]

    assert (deep["url"], deep["then"]) == ("http://127.0.0.1:8601/creme_login/", "http://127.0.0.1:8601/persons/contacts")
    assert deep["password_file"] == "/srv/crm/demo/secrets/monitor_password"
    assert "via" not in deep


@pytest.mark.parametrize(
    ("address", "port", "site", "via"),
    [
        (EVERYWHERE, 8080, "http://crm.example.org:8080", "http://127.0.0.1:8080"),
        ("::", 80, "http://crm.example.org", "http://127.0.0.1"),
        ("192.0.2.7", 80, "http://crm.example.org", "http://192.0.2.7"),
        ("2001:db8::7", 8080, "http://crm.example.org:8080", "http://[2001:db8::7]:8080"),
    ],
)
def test_while_watching_it_is_asked_where_people_ask(address: str, port: int, site: str, via: str) -> None:
    variables = VARIABLES | {"crm": VARIABLES["crm"] | {"address": address, "port": port}}

    live = render_probes(CREME, variables, door=Door.PROXY)["live"]

    assert (live["url"], live["via"]) == (f"{site}/creme_login/", via)
    assert "trust" not in live


@pytest.mark.parametrize(("port", "site"), [(443, "https://crm.example.org"), (8443, "https://crm.example.org:8443")])
def test_an_encrypted_crm_is_asked_as_browsers_ask_it_through_either_door(port: int, site: str) -> None:
    variables = VARIABLES | {"crm": VARIABLES["crm"] | {"port": port, "tls": {"mode": "private-ca", "trust": "PEM"}}}

    public = render_probes(CREME, variables, door=Door.PROXY)["deep"]
    private = render_probes(CREME, variables, door=Door.PRIVATE)["deep"]

    assert (public["url"], public["then"]) == (private["url"], private["then"]) == (f"{site}/creme_login/", f"{site}/persons/contacts")
    assert (public["via"], public["trust"]) == ("https://127.0.0.1" + site.removeprefix("https://crm.example.org"), "PEM")
    assert (private["via"], "trust" in private) == ("http://127.0.0.1:8601", False)


def test_writing_is_never_asked_of_a_crm_that_serves_unless_it_is_named() -> None:
    assert "write" not in render_probes(CREME, VARIABLES, door=Door.PROXY)
    assert list(render_probes(CREME, VARIABLES, door=Door.PRIVATE, names=["write"])) == ["write"]


def test_the_write_probe_runs_as_the_crm_with_its_environment_and_its_script() -> None:
    write = render_probes(CREME, VARIABLES, door=Door.PRIVATE, names=["write"])["write"]

    assert write["argv"] == ["/srv/crm/demo/releases/2.8.6-1/venv/bin/creme", "shell"]
    assert write["user"] == "crm-demo"
    assert write["environment"]["CRM_DATABASE"] == "crm_0001"
    assert "write ok" in write["stdin"]


def test_the_database_is_asked_by_the_role_that_can_only_read() -> None:
    version = render_probes(CREME, VARIABLES, door=Door.PROXY)["version_database"]

    assert (version["user"], version["database"], version["port"], version["equals"]) == ("crm_monitor", "crm_0001", 5433, "2.8")


def test_the_dots_of_a_version_match_only_dots() -> None:
    assert r"Version 2\.8\.6" in render_probes(CREME, VARIABLES, door=Door.PROXY)["version_code"]["match"]


def test_a_missing_variable_is_named() -> None:
    incomplete = VARIABLES | {"deployment": {"port": 8601, "database": "crm_0001"}}

    with pytest.raises(ConfigurationError, match="has no attribute 'id'"):
        render_probes(CREME, incomplete, door=Door.PRIVATE, names=["queue"])


@pytest.mark.parametrize(("version", "path"), [("7.0.59", "/crm/"), ("8.0.12", "/crm/rpc/")])
def test_each_series_is_logged_in_to_where_it_answers(version: str, path: str) -> None:
    product = open_catalogue().get("tryton")
    release = VARIABLES["release"] | {"version": version, "series": version[:3]}
    probes = render_probes(product, VARIABLES | {"release": release}, door=Door.PRIVATE, names=product.definition.probes_of(version))
    TypeAdapter(list[Probe]).validate_python(list(probes.values()))
    assert probes["deep"]["url"] == f"http://127.0.0.1:8601{path}"
    assert probes["deep"]["password_file"] == "/srv/crm/demo/secrets/monitor_password"
