"""The life of a CRM on another machine, in its order; the tests of this file go on where the one before has ended.

The host was added and prepared, the CRM installed, filled, upgraded and rolled back while the golden layer was made (`layers.py`), by the
very sources that are tested. On bookworm the story is longer: there a recovery point is drilled and restored.
"""

from collections.abc import Callable, Iterator

import httpx
import pytest

from appliance.web.sessions import SESSION_COOKIE
from tests.hosts.layers import NEW, OLD, Golden
from tests.hosts.secrets import leaks
from tests.hosts.world import CRM, LOGIN, TOOLS_PYTHON, World, a_world, assert_no_connection_is_left
from tests.lab.lab import Lab
from tests.support.house import wait_for
from tests.support.operating import now
from tests.support.watching import CommandLineWatch
from tests.support.web_world import hashed_password

LEFT = f"""
ls -d /srv/crm/{CRM} /etc/postgresql/*/{CRM} /var/lib/postgresql/*/{CRM} 2>/dev/null
getent passwd crm-{CRM}
systemctl list-unit-files --no-legend 'crm-{CRM}-*'
ls /etc/nginx/conf.d | grep {CRM}
pgrep -u crm-{CRM} -a
true
"""


@pytest.fixture(scope="module", params=["bookworm", "trixie"])
def golden(request: pytest.FixtureRequest, golden_crm: Callable[[str], Golden]) -> Golden:
    """What the story begins with."""
    return golden_crm(request.param)


@pytest.fixture(scope="module")
def life(lab: Lab, golden: Golden) -> Iterator[World]:
    """The appliance and its host, which has just booted."""
    with lab.lending() as host, a_world(golden.home) as world:
        world.meet(host(golden.layers.release, golden=golden.layers))
        world.start("serve")
        yield world


@pytest.fixture(scope="module")
def watch(life: World) -> Iterator[CommandLineWatch]:  # noqa: ARG001 - it is there to be watched
    """Looks at every command line of both machines."""
    looking = CommandLineWatch()
    looking.start()
    yield looking
    looking.stop()


@pytest.fixture(scope="module")
def session(life: World, watch: CommandLineWatch) -> str:  # noqa: ARG001 - watched from the beginning
    """The token of an administrator's session in the panel, in use."""
    access = life.appliance.store.access
    access.put_user(name="Alice", password_hash=hashed_password(), role="administrator", must_change=False, now=now())
    token, _ = access.open_session("Alice", now=now())
    return token


def details(world: World, kind: str) -> dict[str, str | None]:
    newest = next(operation for operation in world.appliance.store.operations.list() if operation.kind == kind)
    return {step.name: step.detail for step in world.operation(newest.id).steps}


def units(world: World) -> int:
    """How many services the host has for the CRM: those of what serves, and of its way back."""
    return len(world.hosts["web1"].run(f"systemctl list-unit-files --no-legend 'crm-{CRM}-*'").stdout.splitlines())


def test_a_second_preparation_changes_nothing(life: World, watch: CommandLineWatch) -> None:
    assert watch
    life.done("host", "prepare", "web1")
    said = details(life, "host-prepare")
    assert (said["packages"], said["tools"]) == ("nothing was missing", "nothing was missing")
    assert life.hosts["web1"].run([TOOLS_PYTHON, "-c", "import backup, monitoring"]).returncode == 0


def test_what_was_installed_serves_every_record_after_a_boot(life: World, golden: Golden) -> None:
    life.serves_again(OLD)
    assert life.records() == golden.known["records"]
    assert life.records()["counts"]["contacts"] >= 100


def test_the_panel_shows_the_host_and_its_crm(life: World, session: str) -> None:
    address = f"http://{life.settings.panel_listen}"
    wait_for(lambda: _answers(address))
    with httpx.Client(base_url=address, cookies={SESSION_COOKIE: session}, follow_redirects=False) as client:
        assert "web1" in client.get("/hosts").text
        assert client.get(f"/instances/{CRM}").status_code == 200


def test_a_backup_holds_every_record(life: World, golden: Golden) -> None:
    life.done("backup", CRM)
    newest = life.appliance.store.points.list(CRM)[0]
    assert newest.record["counts"] == golden.known["records"]["counts"]
    assert newest.record["checksums"] == golden.known["records"]["checksums"]


def test_its_settings_are_changed_and_changed_back(life: World, golden: Golden) -> None:
    before = units(life)
    for language, asked in (("fr", "Mot de passe"), ("en", "Password")):
        said = life.done("instance", "settings", CRM, "--set", f"language={language}", "--yes")
        assert "visitors saw the maintenance page for" in " ".join(said.split())
        with life.visitor() as visitor:
            assert asked in visitor.get(LOGIN).text
    assert life.records() == golden.known["records"]
    assert units(life) == before


def test_a_drill_proves_it_and_leaves_nothing(life: World, golden: Golden) -> None:
    if golden.layers.release != "bookworm":
        pytest.skip("the longer story is bookworm's")
    life.done("drill", CRM)
    assert life.appliance.store.points.list(CRM)[0].proven_at is not None
    assert life.hosts["web1"].run("ls /srv/crm").stdout.split() == [CRM]


def test_an_upgrade_keeps_every_record(life: World, golden: Golden) -> None:
    life.done("upgrade", CRM, "--to", NEW)
    assert life.serves(NEW)
    assert life.records() == golden.known["records"]


def test_a_restore_in_place_brings_release_and_records_back(life: World, golden: Golden) -> None:
    if golden.layers.release != "bookworm":
        pytest.skip("the longer story is bookworm's")
    life.seed()
    point = next(point for point in life.appliance.store.points.list(CRM) if point.proven_at)
    life.done("restore", CRM, "--to", point.id, "--yes")
    assert life.serves(OLD)
    assert life.records() == golden.known["records"]


def test_after_a_reboot_and_after_a_power_cut_it_answers_again_by_itself(life: World, golden: Golden) -> None:
    release, host = life.appliance.store.instances.get(CRM).release, life.hosts["web1"]
    host.reboot()
    life.serves_again(release)
    assert life.records() == golden.known["records"]
    host.power_cut()
    assert not life.serves(release)
    host.boot()
    life.serves_again(release)
    assert life.records() == golden.known["records"]


def test_no_connection_is_left_when_nothing_is_done(life: World) -> None:
    assert_no_connection_is_left(life)


def test_no_secret_stands_anywhere_on_either_machine(life: World, golden: Golden, watch: CommandLineWatch, session: str) -> None:
    assert any(f"/srv/crm/{CRM}/".encode() in line for line in watch.seen), "the host's own processes were not seen"
    assert golden.known["leaks"] == []
    assert leaks(life, watch, session=session) == []


def test_a_removal_leaves_nothing_of_it_and_the_host_can_be_forgotten(life: World) -> None:
    life.done("instance", "remove", CRM, "--yes", "--no-final-backup")
    assert life.hosts["web1"].run(LEFT).stdout == ""
    life.done("host", "remove", "web1")
    assert "web1" not in life.done("host", "list")
    assert not (life.settings.run / "hosts" / "web1").exists()


def _answers(address: str) -> bool:
    try:
        return httpx.get(f"{address}/healthz").status_code == 200
    except httpx.HTTPError:
        return False
