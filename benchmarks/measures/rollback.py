"""How long it takes after a failed verification until visitors are served by what was before."""

import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from statistics import median

from appliance.operations.requesting import request
from benchmarks.bare_upgrade import LOGIN_PAGE
from benchmarks.figure import Measure, MeasureFailed, Say, Taken
from benchmarks.house import ACTOR, LONGEST_SECONDS, House, own_appliance
from benchmarks.outage import watched
from benchmarks.privilege import require_root
from benchmarks.upgrading import INSTANCE, TO_RELEASE, install

DATABASE_MIB = 2048
LONGEST_WANTED_SECONDS = 5.0
FAILING = "verify"


def take(rounds: int, say: Say) -> Taken:
    """Let upgrades fail when they have been verified, the latest moment at which nobody was let in."""
    require_root("rollback")
    with own_appliance(INSTANCE, say) as house:
        install(house, say, database_mib=DATABASE_MIB)
        with _failing(house):
            took = [_seconds(house, say) for _ in range(rounds)]
    note = (
        f"Median of {rounds} upgrades with {DATABASE_MIB} MiB in the database that failed in the step {FAILING}: from the failure in the "
        "journal to the next 200 of the login page, asked for every 50 ms through nginx. The reference is the longest that is wanted."
    )
    return Taken(ours=median(took), reference=LONGEST_WANTED_SECONDS, note=note)


def _seconds(house: House, say: Say) -> float:
    instance = house.instance
    with watched(instance.address, instance.port, LOGIN_PAGE) as samples:
        began = datetime.now(UTC).timestamp() - time.monotonic()
        requested = request(
            house.appliance, "upgrade", INSTANCE, {"to": TO_RELEASE, "rehearsal": False}, requested_by=ACTOR, now=datetime.now(UTC)
        )
        ended = house.await_end(requested.id, seconds=LONGEST_SECONDS)
    failed = next((step for step in ended.steps if step.name == FAILING and step.finished_at), None)
    if failed is None or failed.finished_at is None:
        raise MeasureFailed(f"The upgrade did not fail in {FAILING}: {ended.cause}")
    failed_at = failed.finished_at.timestamp() - began
    served = next(sample.answered_at for sample in samples if sample.is_good and sample.asked_at > failed_at)
    say(f"served again {served - failed_at:.1f} s after the failure")
    return served - failed_at


@contextmanager
def _failing(house: House) -> Iterator[None]:
    """A worker whose verification fails when all of it is done, in the place of the appliance's own."""
    settings = house.appliance.settings
    control = [sys.executable, "-m", "supervisor.supervisorctl", "-c", str(settings.supervisor_configuration)]
    subprocess.run([*control, "stop", "appliance-worker"], check=True, capture_output=True)
    environment = os.environ | {"APPLIANCE_CONFIG": str(settings.home.parent / "appliance.toml")}
    argv = [sys.executable, "-m", "tests.support.faulty_worker", f'{{"fail": "{FAILING}"}}']
    worker = subprocess.Popen(argv, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True)
    try:
        yield
    finally:
        worker.terminate()
        worker.wait(60)


MEASURE = Measure(
    name="rollback",
    title="from a failed verification to being served again",
    unit="s",
    goal=1.0,
    rounds=2,
    take=take,
)
