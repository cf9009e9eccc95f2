"""The worst day: a machine with panel and CRM is destroyed. A bare one of the next Debian, the kit and a repository elsewhere suffice."""

import json
import shlex
import time
from collections.abc import Callable
from typing import Any

from tests.lab.clone import PLACE
from tests.lab.host import LabHost
from tests.lab.lab import Lending
from tests.support.house import SEED
from tests.support.runbooks import commands_in

KIT = "/root/kit.toml"
SERVER_PORT = 8000
USER, PASSWORD = "crm", "adding alone"
ASK = "import httpx, sys; print(httpx.get(sys.argv[1], follow_redirects=True, timeout=30).status_code)"


def bring_up(host: LabHost, arguments: str = "") -> str:
    return host.run(f"cd {PLACE} && bin/up {arguments}", patience_seconds=1500).stdout


def serve_repository(host: LabHost) -> str:
    """A machine that lets recovery points be added, and nothing removed; gives where."""
    host.run("apt-get -q update && apt-get -q -y install --no-install-recommends rclone")
    serving = f"rclone serve restic /srv/kept --addr :{SERVER_PORT} --append-only --user {USER} --pass {shlex.quote(PASSWORD)}"
    host.run(f"systemd-run --unit=kept --property=Restart=always {serving}")
    return f"rest:http://{host.address}:{SERVER_PORT}/crm/"


def seed(host: LabHost) -> None:
    """Write three hundred records with the vendor's own models."""
    current = host.run("readlink -f /srv/crm/demo/current").stdout.strip()
    program = host.run("ls -d /srv/crm/demo/releases/*/venv/bin/creme").stdout.strip()
    argv = ["runuser", "-u", "crm-demo", "--", f"{current}/launch", f"{program} shell"]
    assert "seeded" in host.run(argv, input=SEED.read_text()).stdout


def status_of(host: LabHost, url: str) -> int:
    """What a visitor on that machine gets."""
    return int(host.run(["/opt/appliance/venv/bin/python", "-c", ASK, url]).stdout)


def counted(host: LabHost) -> dict[str, Any]:
    """Counts and checksums of a recovery point that is made now."""
    host.run("appliance backup demo")
    record = json.loads(host.run("appliance recovery-points demo --json").stdout)[0]["record"]
    return {"counts": record["counts"], "checksums": record["checksums"]}


def test_a_destroyed_machine_comes_back_on_a_bare_one_with_the_next_debian(host: Lending, bare_host: Callable[[str], LabHost]) -> None:
    safe, first = host("trixie"), bare_host("bookworm")
    where = serve_repository(safe)
    bring_up(first)
    seed(first)
    first.run(f"umask 077; printf %s {USER} >/root/user; printf %s {shlex.quote(PASSWORD)} >/root/adding")
    credentials = "--credential RESTIC_REST_USERNAME=/root/user --credential RESTIC_REST_PASSWORD=/root/adding"
    first.run("appliance token issue everywhere")
    words = {"LOCATION": f"{where} {credentials}", "NAME": "demo"}
    for command in commands_in("restore.md", "Before it happens", words):
        first.run(command)
    for command in commands_in("recover.md", "Before it happens", words)[-1:]:  # those before it were just typed
        first.run(command)
    before = counted(first)
    assert before["counts"]["contacts"] >= 100
    kit = first.run(f"cat {KIT}").stdout
    first.destroy()

    second = bare_host("trixie")
    second.run(f"umask 077; cat >{KIT}", input=kit)
    began = time.monotonic()
    told = bring_up(second, f"--recover {KIT}")
    took_seconds = time.monotonic() - began
    print(told, f"\nFrom a bare machine to a CRM that serves with all records: {took_seconds:.0f} s")
    assert "demo is back" in told
    assert counted(second) == before
    (demo,) = json.loads(second.run("appliance instance list --json").stdout)
    assert (demo["name"], demo["state"]) == ("demo", "active")
    assert "everywhere" in second.run("appliance token list").stdout
    assert "install" in {one["kind"] for one in json.loads(second.run("appliance operation list --json").stdout)}
    assert status_of(second, f"http://{demo['address']}:{demo['port']}/") == 200
    assert "as before" in bring_up(second, f"--recover {KIT}")
