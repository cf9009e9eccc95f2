"""What a patch run costs that has nothing to do, beside one bare play that gathers facts."""

import os
import subprocess
import tempfile
import time
from pathlib import Path
from statistics import median

from appliance.config import program
from appliance.hosts.playbooks import ENVIRONMENT
from benchmarks.figure import Measure, MeasureFailed, Say, Taken
from benchmarks.house import House, own_appliance
from benchmarks.privilege import require_root
from benchmarks.upgrading import FROM_RELEASE, INSTANCE, PRODUCT

FACTS = "- hosts: localhost\n  connection: local\n  gather_facts: true\n"


def take(rounds: int, say: Say) -> Taken:
    """Patch an instance that runs the newest release of its series, and gather facts, in turn."""
    require_root("patch_idle")
    ours, reference = [], []
    with own_appliance(INSTANCE, say) as house, tempfile.TemporaryDirectory(prefix="benchmark-facts-") as place:
        house.carry_out("install", {"product": PRODUCT, "release": FROM_RELEASE}, say)
        for number in range(rounds):
            ours.append(_patch_seconds(house, say))
            reference.append(_facts_seconds(Path(place)))
            say(f"round {number + 1}: {ours[-1]:.2f} s, gathering facts {reference[-1]:.2f} s")
    note = (
        f"Medians of {rounds} runs in turn: from the request to the end of the operation, and ansible-playbook with a play without a task."
    )
    return Taken(ours=median(ours), reference=median(reference), note=note)


def _patch_seconds(house: House, say: Say) -> float:
    began = time.monotonic()
    ended = house.carry_out("patch", {}, say)
    took = time.monotonic() - began
    if not ended.found_nothing:
        raise MeasureFailed("There was something to patch.")
    return took


def _facts_seconds(place: Path) -> float:
    (place / "facts.yml").write_text(FACTS)
    began = time.monotonic()
    argv = [program("ansible-playbook"), "-i", "localhost,", "facts.yml"]
    done = subprocess.run(argv, cwd=place, env=os.environ | ENVIRONMENT, capture_output=True, text=True, check=False)
    if done.returncode:
        raise MeasureFailed(f"ansible-playbook ended with {done.returncode}: {(done.stdout + done.stderr)[-500:]}")
    return time.monotonic() - began


MEASURE = Measure(
    name="patch_idle",
    title="a patch run with nothing to do against a play that gathers facts",
    unit="s",
    goal=1.5,
    rounds=5,
    take=take,
)
