"""What a playbook costs through the appliance, beside the same file with `ansible-playbook` alone."""

import json
import os
import subprocess
import tempfile
import time
from pathlib import Path
from statistics import median

from appliance.config import program
from appliance.errors import PlaybookFailed
from appliance.hosts.playbooks import ENVIRONMENT, run_playbook
from appliance.hosts.reach import Local
from benchmarks.figure import Measure, MeasureFailed, Say, Taken

TRIVIAL = Path(__file__).resolve().parent.parent / "trivial.yml"


def take(rounds: int, say: Say) -> Taken:
    """Run both in turn, once unmeasured, and compare the medians."""
    ours, reference = [], []
    with tempfile.TemporaryDirectory(prefix="benchmark-playbook-") as place:
        for number in range(rounds + 1):
            ours.append(_timed_ours(Path(place) / f"ours-{number}"))
            reference.append(_timed_bare(Path(place) / f"bare-{number}"))
            say(f"{'unmeasured' if number == 0 else f'round {number}'}: ours {ours[-1]:.2f} s, bare {reference[-1]:.2f} s")
    note = (
        f"Medians of {rounds} runs in turn of a play with one ping, in a warm process as the worker's is; "
        "both with the same inventory, interpreter and settings."
    )
    return Taken(ours=median(ours[1:]), reference=median(reference[1:]), note=note)


def _timed_ours(directory: Path) -> float:
    began = time.monotonic()
    try:
        run_playbook(
            Local(),
            str(TRIVIAL.with_suffix("")),
            {},
            directory=directory,
            ident="trivial",
            on_line=lambda _: None,
            is_cancelled=lambda: False,
        )
    except PlaybookFailed as failure:
        raise MeasureFailed(str(failure)) from failure
    return time.monotonic() - began


def _timed_bare(directory: Path) -> float:
    directory.mkdir()
    inventory = directory / "hosts.json"
    inventory.write_text(json.dumps(Local().inventory))
    argv = [program("ansible-playbook"), "-i", str(inventory), str(TRIVIAL)]
    began = time.monotonic()
    done = subprocess.run(argv, cwd=directory, env=os.environ | ENVIRONMENT, capture_output=True, text=True, check=False)
    took = time.monotonic() - began
    if done.returncode:
        raise MeasureFailed(f"ansible-playbook ended with {done.returncode}: {done.stdout[-500:]}{done.stderr[-500:]}")
    return took


MEASURE = Measure(
    name="playbook",
    title="a trivial playbook through the appliance against ansible-playbook alone",
    unit="s",
    goal=1.2,
    rounds=5,
    take=take,
)
