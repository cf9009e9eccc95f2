"""Prometheus and Alertmanager of Debian, installed by the playbook, tell of what goes wrong with a CRM, and of its end.

What is real: host, CRM, monitor, `/metrics` over TLS, both programs, the mail server and the web server that are told, and the troubles
but two. The last backup lies back because its event in the ledger was made older; the disk has filled for six hours because Prometheus was
given that past of a real disk's series (`promtool tsdb create-blocks-from openmetrics`), and the disk is really that full.

What is not as shipped, on the lab host alone: every `for:` of the rules, and what Alertmanager waits before it tells, is divided by sixty,
so that a test need not last for hours. Expressions, windows and routes are as they are. The tests go on where the one before has ended.
"""

import json
import re
import socket
import sqlite3
import subprocess
import time
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TypedDict

import pytest

from appliance.operations.stack.places import DIRECTORY, listens
from tests.hosts.stage import a_stage
from tests.hosts.world import CRM, DOMAIN, World
from tests.lab import places
from tests.lab.host import LabHost
from tests.lab.lab import Lab
from tests.support.house import wait_for
from tests.support.operating import now
from tests.support.pki import Made, make
from tests.support.receivers import Hook, Mailbox, free_port, mail_server, web_server

MOST_EXPOSED = 3.0
REPOSITORY = "/var/lib/crm-host/repositories/local"
THREE_DAYS_SECONDS = 3 * 86400
PAST_SECONDS, STEP_SECONDS = 6 * 3600, 60
FULL_SHARE = 0.8
PATIENCE_SECONDS = 180
OLDER = """
UPDATE events SET at_seconds = at_seconds - :by, facts = json_set(facts, '$.recovery_point_at', facts ->> 'recovery_point_at' - :by)
 WHERE kind = 'backup' AND result = 'success'
"""
HASTE = r"""
import pathlib, re, subprocess
units = {"s": 1, "m": 60, "h": 3600}
def shorter(found):
    seconds = int(found[2]) * units[found[3]]
    return f"{found[1]}{max(1, seconds // 60) if seconds else 0}s"
directory = pathlib.Path("DIRECTORY")
for file in [*directory.glob("rules-*.yml"), directory / "alertmanager.yml"]:
    names = "for" if file.name.startswith("rules-") else "group_wait|group_interval"
    file.write_text(re.sub(rf"((?:{names}): )'?(\d+)([smh])'?", shorter, file.read_text()))
subprocess.run(["promtool", "check", "config", directory / "prometheus.yml"], check=True)
subprocess.run(["amtool", "check-config", directory / "alertmanager.yml"], check=True)
subprocess.run(["systemctl", "restart", "prometheus", "prometheus-alertmanager"], check=True)
"""


class Sample(TypedDict):
    """A series and what it is now: the moment and the value."""

    metric: dict[str, str]
    value: tuple[float, str]


@dataclass(kw_only=True)
class Watched:
    """A world whose CRM is watched from its own host, and everybody who is told."""

    world: World
    disk: Path
    mailbox: Mailbox
    desk: Hook
    outside: Hook
    authority: Made

    @property
    def host(self) -> LabHost:
        return self.world.hosts["web1"]

    @property
    def troubles(self) -> set[str]:
        """What each of them is told as."""
        return {
            f"{CRM} is down",
            f"{CRM} has no backup of late",
            f"More of {CRM} could be lost than promised",
            f"{self.disk} of {socket.gethostname()} is full within a day",
            f"The certificate of {CRM} ends within three weeks",
            f"The last restore drill of {CRM} failed",
        }

    def told_of(self, status: str) -> dict[str, set[str]]:
        """The troubles that each receiver was told are firing, or are resolved."""
        alerts = [alert for _, body in self.desk.requests for alert in body.get("alerts", ()) if alert["status"] == status]
        mailed = "\n".join(self.mailbox.texts()).splitlines()
        return {
            "web": {alert["annotations"]["summary"] for alert in alerts} & self.troubles,
            "mail": {trouble for trouble in self.troubles if f"{status}: {trouble}" in mailed},
        }

    def await_told(self, status: str) -> None:
        """Until both were told of every trouble."""
        wait_for(lambda: self.told_of(status) == {"web": self.troubles, "mail": self.troubles}, seconds=PATIENCE_SECONDS)

    def asked(self, query: str) -> list[Sample]:
        """What Prometheus answers."""
        address = f"http://{listens('prometheus')}/api/v1/query"
        said = self.host.run(["curl", "-fsS", "--data-urlencode", f"query={query}", address]).stdout
        found: list[Sample] = json.loads(said)["data"]["result"]
        return found


@pytest.fixture(scope="module")
def watched(lab: Lab, clean: None, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Watched]:  # noqa: ARG001 - it needs a clean ground
    """A CRM on a host, the stack on the same host, and everything in order but the past."""
    with a_stage(lab) as stage, ExitStack() as stack:
        golden = stage.crm()
        disk = stack.enter_context(a_disk(tmp_path_factory.mktemp("disk")))
        world = stage.open(golden, metrics_listen=f"{places.BRIDGE_ADDRESS}:{free_port()}", alert_rules_every_seconds=86400)
        address, mailbox = stack.enter_context(mail_server(places.BRIDGE_ADDRESS))
        desk, outside = (stack.enter_context(web_server(places.BRIDGE_ADDRESS)) for _ in range(2))
        for name, url in {"ops": address, "desk": f"json://{desk.address}/desk"}.items():
            world.done("notification", "add", name, "--url-file", written(world, url))
        world.done("notification", "add", "outside", "--heartbeat", "--url-file", written(world, f"http://{outside.address}/beat"))
        authority = make("Authority", now(), authority=True)
        found = Watched(world=world, disk=disk, mailbox=mailbox, desk=desk, outside=outside, authority=authority)
        found.host.run(f"echo {found.host.address} {DOMAIN} >>/etc/hosts")  # what a name server is for elsewhere
        yield found


@contextmanager
def a_disk(directory: Path) -> Iterator[Path]:
    """A small disk of this machine's own, which its monitor sees as any other."""
    image, mountpoint = directory / "disk", directory / "mounted"
    mountpoint.mkdir()
    with image.open("wb") as made:
        made.truncate(64 * 1024**2)
    subprocess.run(["mkfs.ext4", "-q", "-m", "0", image], check=True)
    subprocess.run(["mount", "-o", "loop", image, mountpoint], check=True)
    try:
        yield mountpoint
    finally:
        subprocess.run(["umount", mountpoint], check=True)


def written(world: World, text: str) -> str:
    file = world.directory / "given"
    file.write_text(text)
    return str(file)


def certificate(world: World, authority: Made, days: float) -> list[str]:
    """The words that let the CRM show one that lasts for so long."""
    made = make(DOMAIN, now(), issuer=authority, days=days)
    files = {"certificate": made.pem + authority.pem, "key": made.key()}
    for name, text in files.items():
        (world.directory / name).write_text(text)
    return ["certificate", "replace", CRM, *(word for name in files for word in (f"--{name}", str(world.directory / name)))]


def test_the_stack_reads_the_appliance_and_the_dead_man_hears_of_it(watched: Watched) -> None:
    watched.world.done(*certificate(watched.world, watched.authority, days=10))
    watched.world.start("monitor")
    said = " ".join(watched.world.done("stack", "install", "web1", "--dead-man", "outside").split())
    assert "Prometheus reads everything" in said
    wait_for(lambda: [one["value"][1] for one in watched.asked('up{job="appliance"}')] == ["1"], seconds=60)
    wait_for(lambda: len(watched.outside.requests) > 0, seconds=60)
    path, body = watched.outside.requests[0]
    assert (path, body["alerts"][0]["labels"]["alertname"]) == ("/beat", "Watchdog")
    wait_for(lambda: [one["metric"]["crm"] for one in watched.asked("probe_success == 1") if "crm" in one["metric"]] == [CRM], seconds=90)


def test_the_database_tells_of_itself_and_no_record_of_the_crm(watched: Watched) -> None:
    wait_for(lambda: [one["value"][1] for one in watched.asked("pg_up")] == ["1"], seconds=60)
    deployment = watched.world.appliance.store.instances.get(CRM).deployment
    assert deployment is not None
    (size,) = watched.asked(f'pg_database_size_bytes{{datname="{deployment.database}"}}')
    assert float(size["value"][1]) > 2**20
    port = size["metric"]["server"].rpartition(":")[2]
    assert len({one["metric"]["server"] for one in watched.asked("pg_database_size_bytes")}) > 1  # the way back has a cluster of its own
    ask = f"runuser -u prometheus -- psql -At -h /run/postgresql -p {port} -d {deployment.database} -c"
    assert "permission denied for table" in watched.host.run(f"{ask} 'TABLE persons_contact' -U crm_metrics", check=False).stderr
    assert "authentication failed" in watched.host.run(f"{ask} 'SELECT 1' -U crm_monitor", check=False).stderr
    said = watched.host.run(["systemd-analyze", "security", "--no-pager", "prometheus-postgres-exporter"]).stdout
    assert float(re.findall(r"Overall exposure level for \S+: ([\d.]+)", said)[0]) <= MOST_EXPOSED, said


def test_every_trouble_is_told_by_mail_and_by_web(watched: Watched) -> None:
    world, host = watched.world, watched.host
    host.run(["python3", "-"], input=HASTE.replace("DIRECTORY", str(DIRECTORY)))
    fill(watched)
    make_backups_older(world)
    host.run(f"mv {REPOSITORY} {REPOSITORY}.away")
    assert world.command("drill", CRM).returncode != 0
    host.run(f"systemctl stop 'crm-{CRM}-*.service'")
    restart_monitor(world)
    watched.await_told("firing")
    assert watched.told_of("resolved") == {"web": set(), "mail": set()}


def fill(watched: Watched) -> None:
    """The disk is nearly full, and Prometheus knows its past: it was filled evenly within six hours."""
    found = {"avail": "appliance_filesystem_avail_bytes", "size": "appliance_filesystem_size_bytes"}
    wait_for(lambda: len(watched.asked(f'{found["size"]}{{mountpoint="{watched.disk}"}}')) == 1, seconds=60)
    (series,) = watched.asked(f'{found["avail"]}{{mountpoint="{watched.disk}"}}')
    free = int(series["value"][1])
    (watched.disk / "filling").write_bytes(b"x" * int(free * FULL_SHARE))
    labels = ",".join(f'{name}="{value}"' for name, value in series["metric"].items() if name != "__name__")
    ends = int(time.time()) - 2 * STEP_SECONDS
    moments = range(ends - PAST_SECONDS, ends, STEP_SECONDS)
    lines = [f"{found['avail']}{{{labels}}} {free * (1 - FULL_SHARE * (at - moments[0]) / PAST_SECONDS):.0f} {at}" for at in moments]
    text = "\n".join([f"# TYPE {found['avail']} gauge", *lines, "# EOF\n"])
    data = "/var/lib/crm-monitoring/prometheus"
    watched.host.run(["sh", "-c", "cat >/root/past"], input=text)
    watched.host.run(
        f"promtool tsdb create-blocks-from openmetrics /root/past {data} && chown -R prometheus: {data} && systemctl restart prometheus"
    )


def make_backups_older(world: World) -> None:
    """As if the last one had been three days ago."""
    with closing(sqlite3.connect(world.settings.ledger_file, timeout=20)) as ledger, ledger:
        changed = ledger.execute(OLDER, {"by": THREE_DAYS_SECONDS}).rowcount
    assert changed > 0


def restart_monitor(world: World) -> None:
    """What it has read of the ledger it keeps in mind, and certificates it looks at every five minutes."""
    world.stop("monitor")
    world.start("monitor")


def test_the_end_of_every_trouble_is_told_by_mail_and_by_web(watched: Watched) -> None:
    world, host = watched.world, watched.host
    (watched.disk / "filling").unlink()
    host.run(f"mv {REPOSITORY}.away {REPOSITORY}")
    host.run(f"systemctl list-unit-files --no-legend --state=enabled 'crm-{CRM}-*.service' | awk '{{print $1}}' | xargs systemctl start")
    world.done("backup", CRM)
    world.done("drill", CRM)
    world.done(*certificate(world, watched.authority, days=90))
    restart_monitor(world)
    watched.await_told("resolved")
    assert watched.asked(f'ALERTS{{alertstate="firing",crm="{CRM}",severity="critical"}}') == []


def test_what_is_told_says_what_to_do(watched: Watched) -> None:
    alerts = [alert for _, body in watched.desk.requests for alert in body.get("alerts", ())]
    (down, *_) = [alert for alert in alerts if alert["labels"]["alertname"] == "CrmDown"]
    assert down["labels"]["crm"] == CRM
    assert down["labels"]["host"] == "web1"
    assert down["annotations"]["summary"] == f"{CRM} is down"
    (mail, *_) = [text for text in watched.mailbox.texts() if "CrmDown" in text]
    assert mail.startswith(f"[FIRING] CrmDown of {CRM} on web1")
    assert "docs/runbooks/alerts.md#crmdown" in mail
