"""An installation on a prepared host, beside the bare commands in one SSH session."""

import time
from pathlib import Path
from statistics import median

from appliance.operations.machines import layout_on
from benchmarks.figure import Measure, MeasureFailed, Say, Taken
from benchmarks.hosts import own_lab, require_success
from benchmarks.house import seconds_by_step
from tests.hosts import layers
from tests.hosts.layers import Golden
from tests.hosts.world import CRM, DOMAIN, a_world
from tests.lab.lab import Lab
from tests.lab.remote import HostFailed

RELEASE = "bookworm"
PRODUCT, VERSION = "creme", "2.7.13"
SCRIPTS = Path(__file__).resolve().parents[1]
LOCK = "/root/creme.lock"
LONGEST_SECONDS = 900


def take(rounds: int, say: Say) -> Taken:
    """Measure both in turn, each on a host that has just booted from the same prepared layer."""
    ours, reference = [], []
    with own_lab() as lab:
        prepared = layers.prepared(lab, RELEASE)
        for number in range(rounds):
            ours.append(_install(lab, prepared, say))
            reference.append(_bare_seconds(lab, prepared))
            say(f"round {number + 1}: installed in {ours[-1]:.1f} s, bare commands {reference[-1]:.1f} s")
    note = (
        f"Medians of {rounds} rounds on a prepared {RELEASE} host, with nothing downloaded before. Ours also brings TLS, limits, log "
        "rotation and a deep probe; the reference only installs, until the login page answers through nginx."
    )
    return Taken(ours=median(ours), reference=median(reference), note=note)


def _install(lab: Lab, prepared: Golden, say: Say) -> float:
    with lab.lending() as lend, a_world(prepared.home) as world:
        world.meet(lend(RELEASE, golden=prepared.layers))
        began = time.monotonic()
        ended = world.ended(world.request("install", CRM, product=PRODUCT, host="web1", release=VERSION, domain=DOMAIN))
        took = time.monotonic() - began
        require_success(ended)
        say(f"install: {seconds_by_step(ended)}")
        return took


def _bare_seconds(lab: Lab, prepared: Golden) -> float:
    with lab.lending() as lend, a_world(prepared.home) as world:
        host = lend(RELEASE, golden=prepared.layers)
        host.put(world.appliance.catalogue.get(PRODUCT).lock_of(VERSION), LOCK)
        parts = ((SCRIPTS / name).read_text() for name in ("creme_by_hand.sh", "host_commands.sh"))
        command = "\n".join([f"uv={layout_on(world.appliance, 'web1').uv} lock={LOCK}", *parts])
        began = time.monotonic()
        try:
            host.run(command, patience_seconds=LONGEST_SECONDS)
        except HostFailed as failure:
            raise MeasureFailed(f"The bare commands failed: {str(failure)[-1000:]}") from failure
        return time.monotonic() - began


MEASURE = Measure(
    name="host_install",
    title=f"installing Creme {VERSION} on a prepared host against the bare commands over one SSH session",
    unit="s",
    goal=1.3,
    rounds=2,
    take=take,
)
