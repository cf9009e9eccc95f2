"""Panel, worker, monitor, a CRM's database and the whole machine are killed in turn: the ledger loses no second, and invents none."""

import signal
import time
from collections.abc import Callable
from dataclasses import dataclass
from itertools import pairwise
from threading import Event, Thread

import httpx
import psutil
import pytest

from appliance.operations.machines import layout_on
from appliance.operations.variables import crm_variables
from appliance.setup import processes
from appliance.setup.supervision import Supervisord
from monitoring.clock import open_clock
from monitoring.ledger import Interval, Ledger, State
from tests.conftest import Crm
from tests.support.house import PROGRAMS, House, wait_for

INTERVAL_SECONDS = 5
"""The house's."""
ROUND_SECONDS = INTERVAL_SECONDS + 3
"""What may lie between something that happens and the probe that sees it, on a busy machine."""
BELIEVED_SECONDS = 1.5 * INTERVAL_SECONDS
"""A monitor that was away for longer than this does not claim to know what went on meanwhile."""
PAGE = "/creme_login/"


class Witness:
    """Asks for the page twice a second, by itself, and knows for how long it was away."""

    def __init__(self, port: int) -> None:
        self.away_seconds = 0.0
        self._url, self._stop = f"http://127.0.0.1:{port}{PAGE}", Event()
        self._thread = Thread(target=self._watch)

    def __enter__(self) -> "Witness":
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._thread.join()

    def _watch(self) -> None:
        before, was_well = time.monotonic(), True
        while not self._stop.is_set():
            is_well = self._is_well()
            now = time.monotonic()
            self.away_seconds += 0 if was_well and is_well else now - before
            before, was_well = now, is_well
            self._stop.wait(0.5)

    def _is_well(self) -> bool:
        try:
            return httpx.get(self._url, timeout=20).status_code == 200
        except httpx.HTTPError:
            return False


@dataclass(frozen=True, kw_only=True)
class Course:
    """What the ledger holds of what went on, beside what happened: in seconds."""

    intervals: list[Interval]
    elapsed: float
    away: float

    def spent(self, *states: State) -> float:
        return sum(interval.seconds for interval in self.intervals if interval.state in states)


def intervals_of(crm: Crm) -> list[Interval]:
    with Ledger(crm.house.settings.ledger_file) as ledger:
        return ledger.intervals(crm.name)


def is_seen_up(crm: Crm, *, after_ms: int) -> bool:
    newest = intervals_of(crm)[-1]
    return newest.state is State.UP and newest.end_ms > after_ms


def position_ms(crm: Crm) -> int:
    with Ledger(crm.house.settings.ledger_file) as ledger:
        return ledger.position_ms(open_clock()())


def seen_through(crm: Crm, harm: Callable[[], None]) -> Course:
    """What the ledger has of the time from an observation before the harm to one after it."""
    wait_for(lambda: is_seen_up(crm, after_ms=position_ms(crm) - 1000 * ROUND_SECONDS), seconds=120)
    first = intervals_of(crm)[-1]
    began, began_ms = open_clock()().boot_seconds, first.end_ms
    began -= (position_ms(crm) - began_ms) / 1000
    with Witness(crm.port) as witness:
        harm()
        harmed_ms = position_ms(crm)
        wait_for(lambda: is_seen_up(crm, after_ms=harmed_ms + 3000 * INTERVAL_SECONDS), seconds=180)
    ended = open_clock()().boot_seconds
    found = [interval for interval in intervals_of(crm) if interval.end_ms > began_ms]
    assert all(before.end_ms == after.start_ms for before, after in pairwise(found))
    cut = [(interval, max(interval.start_ms, began_ms)) for interval in found]
    told_ms = sum(interval.end_ms - start_ms for interval, start_ms in cut)
    assert told_ms == found[-1].end_ms - began_ms
    assert told_ms / 1000 == pytest.approx(ended - began, abs=ROUND_SECONDS)
    return Course(intervals=found[1:] if found[0].start_ms < began_ms else found, elapsed=told_ms / 1000, away=witness.away_seconds)


def kill_service(house: House, name: str) -> None:
    """kill -9 of the program itself; supervisord starts it again."""
    shell = psutil.Process(int(Supervisord(settings=house.settings)._call("getProcessInfo", name)["pid"]))
    shell.kill()
    wait_for(lambda: Supervisord(settings=house.settings).state(name) == "RUNNING" and not shell.is_running(), seconds=60)


@pytest.mark.parametrize("name", ["appliance-panel", "appliance-worker", "appliance-monitor"])
def test_a_process_of_the_appliance_is_restarted_and_nothing_is_missing(crm: Crm, name: str) -> None:
    course = seen_through(crm, lambda: kill_service(crm.house, name))
    assert course.away == 0
    assert course.spent(State.DOWN, State.DEGRADED, State.MAINTENANCE) == 0
    unknown = course.spent(State.UNKNOWN)
    # A busy machine starts the monitor too slowly to believe in what it has not seen.
    assert unknown == 0 or (name == "appliance-monitor" and unknown > BELIEVED_SECONDS)


def database_service(crm: Crm) -> str:
    """What keeps the cluster of the deployment that serves."""
    instance = crm.house.appliance.store.instances.get(crm.name)
    assert instance.deployment is not None
    layout = layout_on(crm.house.appliance, instance.host)
    return str(crm_variables(layout, instance, cluster=instance.deployment.cluster)["cluster_service"])


def test_a_database_that_is_killed_is_down_for_as_long_as_visitors_see(crm: Crm) -> None:
    course = seen_through(crm, lambda: kill_service(crm.house, database_service(crm)))
    assert course.spent(State.UNKNOWN, State.MAINTENANCE) == 0
    assert course.spent(State.DOWN) == pytest.approx(course.away, abs=ROUND_SECONDS)


def test_a_database_that_rests_is_down_for_as_long_as_visitors_see(crm: Crm) -> None:
    course = seen_through(crm, lambda: rest(crm.house, database_service(crm), seconds=5 * INTERVAL_SECONDS))
    assert course.spent(State.UNKNOWN, State.MAINTENANCE) == 0
    assert course.away >= 5 * INTERVAL_SECONDS
    assert course.spent(State.DOWN) == pytest.approx(course.away, abs=ROUND_SECONDS)


def rest(house: House, name: str, *, seconds: float) -> None:
    """Stop a service as an administrator would, and start it again."""
    house.supervisorctl("stop", name)
    time.sleep(seconds)
    house.supervisorctl("start", name)


def test_a_machine_that_is_lost_and_comes_back_knows_nothing_of_its_absence(crm: Crm) -> None:
    course = seen_through(crm, lambda: restart_machine(crm.house))
    assert course.away > 0
    unseen = course.spent(State.UNKNOWN, State.DOWN, State.DEGRADED)
    assert unseen >= 2 * INTERVAL_SECONDS
    assert unseen == pytest.approx(course.away, abs=2 * ROUND_SECONDS)


def restart_machine(house: House) -> None:
    """All its processes end at one moment, and are started again as at a boot."""
    supervisord = psutil.Process(int(Supervisord(settings=house.settings)._call("getPID")))
    everything = [supervisord, *supervisord.children(recursive=True)]
    for process in everything:
        process.send_signal(signal.SIGSTOP)
    for process in everything:
        process.kill()
    time.sleep(2 * INTERVAL_SECONDS)
    processes.start(house.settings, house.environment, PROGRAMS)
