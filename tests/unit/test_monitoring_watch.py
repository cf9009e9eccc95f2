"""A round of probes: what is confirmed, what is judged, what is handed on."""

import asyncio
import socket
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from monitoring.checks import Check
from monitoring.clock import open_clock
from monitoring.ledger import SERVICE, Observation, State
from monitoring.targets import Target
from monitoring.verdict import Verdict, judge_crm
from monitoring.watch import Watch

UP, DOWN = Verdict(state=State.UP), Verdict(state=State.DOWN, cause="x", reason="broken")
PASSES = {"kind": "cmd", "argv": ["true"]}
FAILS = {"kind": "cmd", "argv": ["false"]}


@dataclass
class Notebook:
    """A sink that keeps everything."""

    observations: list[Observation] = field(default_factory=list)
    checks: list[Check] = field(default_factory=list)
    hosts: dict[str, bool] = field(default_factory=dict)

    def add(self, observations: Sequence[Observation], checks: Sequence[Check]) -> None:
        self.observations.extend(observations)
        self.checks.extend(checks)

    def see_host(self, host: str, *, answers: bool) -> None:
        self.hosts[host] = answers

    def states(self, target: str = SERVICE) -> list[State]:
        return [seen.state for seen in self.observations if seen.target == target]


def look(probes: dict[str, Any], *, rounds: int = 1, flag: Path | None = None, slots: int = 1) -> Notebook:
    facts = {"crm": "demo", "product": "sample", "release": "1", "interval_seconds": 0.01, "probes": probes, "maintenance_flag": flag}
    notebook = Notebook()

    async def go() -> None:
        watch = Watch(target=Target.model_validate(facts), clock=open_clock(), sink=notebook, slots=asyncio.Semaphore(slots))
        for _ in range(rounds):
            await watch.look()

    asyncio.run(go())
    return notebook


@pytest.mark.parametrize(
    ("probes", "state", "cause"),
    [
        ({"live": UP, "ready": UP, "deep": UP}, State.UP, ""),
        ({"live": UP, "ready": UP, "deep": DOWN}, State.DEGRADED, "deep"),
        ({"live": DOWN, "ready": DOWN, "deep": DOWN}, State.DOWN, "live"),
        ({"deep": DOWN, "live": UP, "ready": DOWN}, State.DOWN, "ready"),
        ({"tcp": UP, "tls": DOWN, "live": DOWN}, State.DOWN, "tls"),
        ({"live": DOWN, "tls": DOWN, "tcp": DOWN}, State.DOWN, "tcp"),
        ({"queue": UP, "deep": DOWN}, State.DEGRADED, "deep"),
        ({"queue": DOWN, "deep": DOWN}, State.DOWN, "queue"),
        ({}, State.UP, ""),
    ],
)
def test_a_crm_is_judged_by_what_its_users_would_notice(probes: dict[str, Verdict], state: State, cause: str) -> None:
    verdict = judge_crm(probes)
    assert (verdict.state, verdict.cause) == (state, cause)


def test_a_failure_is_probed_twice_and_billed_from_the_first() -> None:
    notebook = look({"live": FAILS})
    assert [check.healthy for check in notebook.checks] == [False, False]
    assert notebook.states() == [State.DOWN]
    assert {seen.reason for seen in notebook.observations} == {"false ended with 1"}


def test_a_failure_that_the_second_probe_cannot_confirm_is_no_outage(tmp_path: Path) -> None:
    once = f"test -e {tmp_path}/tried || {{ touch {tmp_path}/tried; exit 1; }}"
    notebook = look({"live": {"kind": "cmd", "argv": ["sh", "-c", once]}})
    assert [check.healthy for check in notebook.checks] == [False, True]
    assert notebook.states() == [State.UP]


def test_a_probe_says_how_long_after_its_failure_it_is_asked_again(tmp_path: Path) -> None:
    times = tmp_path / "times"
    probe = {"kind": "cmd", "argv": ["sh", "-c", f"date +%s.%N >> {times}; false"], "confirm_after_seconds": 0.5}
    notebook = Notebook()
    facts = {"crm": "demo", "product": "sample", "release": "1", "interval_seconds": 5, "probes": {"live": probe}}

    async def go() -> None:
        await Watch(target=Target.model_validate(facts), clock=open_clock(), sink=notebook, slots=asyncio.Semaphore(1)).look()

    asyncio.run(go())
    first, second = map(float, times.read_text().split())
    assert 0.5 <= second - first < 2
    assert notebook.states() == [State.DOWN]


def test_a_known_outage_is_not_confirmed_again() -> None:
    assert len(look({"live": FAILS}, rounds=3).checks) == 4


@pytest.fixture
def silent() -> Iterator[str]:
    """A server that takes connections and never says a word."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        yield f"http://127.0.0.1:{listener.getsockname()[1]}/"


def test_who_was_silent_for_longer_than_a_confirmation_waits_is_down_without_one(silent: str) -> None:
    notebook = look({"live": {"kind": "http", "url": silent, "timeout_seconds": 1, "confirm_after_seconds": 1}})
    assert [check.healthy for check in notebook.checks] == [False]
    assert notebook.states() == [State.DOWN]


def test_a_crm_that_serves_nobody_is_told_down_before_its_slow_probes_have_given_up() -> None:
    notebook, told_after = Notebook(), list[float]()
    probes = {"live": FAILS, "deep": {"kind": "cmd", "argv": ["sleep", "30"], "timeout_seconds": 4}}
    target = Target.model_validate({"crm": "demo", "product": "sample", "release": "1", "interval_seconds": 0.01, "probes": probes})

    async def go() -> None:
        began = asyncio.get_running_loop().time()
        watch = Watch(target=target, clock=open_clock(), sink=notebook, slots=asyncio.Semaphore(2))
        looking = asyncio.create_task(watch.look())
        while not notebook.states():
            await asyncio.sleep(0.05)
        told_after.append(asyncio.get_running_loop().time() - began)
        await looking

    asyncio.run(go())
    assert told_after[0] < 3
    assert notebook.states() == [State.DOWN, State.DOWN]
    assert notebook.states("live") == notebook.states("deep") == [State.DOWN]


def test_of_several_each_begins_soon_and_their_later_rounds_are_spread_over_the_interval() -> None:
    interval_seconds, count = 1.2, 6
    notebooks = [Notebook() for _ in range(count)]
    facts = {"crm": "demo", "product": "sample", "release": "1", "interval_seconds": interval_seconds, "probes": {}}

    async def go() -> None:
        for number, notebook in enumerate(notebooks):
            watch = Watch(target=Target.model_validate(facts), clock=open_clock(), sink=notebook, slots=asyncio.Semaphore(1))
            tasks.append(asyncio.create_task(watch.run(number=number, of=count)))
        await asyncio.sleep(interval_seconds * 2.9)
        for task in tasks:
            task.cancel()

    tasks: list[asyncio.Task[None]] = []
    asyncio.run(go())
    rounds = [[seen.at.boot_seconds for seen in notebook.observations] for notebook in notebooks]
    firsts, lasts = [seen[0] for seen in rounds], sorted(seen[-1] for seen in rounds)
    assert max(firsts) - min(firsts) < 0.2
    assert all(later - earlier > 0.1 for earlier, later in pairwise(lasts))
    assert all(later - earlier < 1.9 * interval_seconds for seen in rounds for earlier, later in pairwise(seen))


def test_a_page_is_asked_for_however_many_programs_run(silent: str) -> None:
    assert look({"live": {"kind": "http", "url": silent, "timeout_seconds": 0.1}}, slots=0).states() == [State.DOWN]


def test_a_program_waits_for_its_slot() -> None:
    async def go() -> list[State]:
        notebook, slots = Notebook(), asyncio.Semaphore(0)
        target = Target.model_validate({"crm": "demo", "product": "sample", "release": "1", "probes": {"live": PASSES}})
        looking = asyncio.create_task(Watch(target=target, clock=open_clock(), sink=notebook, slots=slots).look())
        await asyncio.sleep(0.2)
        assert not looking.done()
        slots.release()
        await looking
        return notebook.states()

    assert asyncio.run(go()) == [State.UP]


def test_maintenance_probes_nothing_and_holds_for_every_target(tmp_path: Path) -> None:
    (tmp_path / "maintenance.on").touch()
    notebook = look({"live": FAILS, "deep": FAILS}, flag=tmp_path / "maintenance.on")
    assert notebook.checks == []
    assert {(seen.target, seen.state) for seen in notebook.observations} == {
        (name, State.MAINTENANCE) for name in ("live", "deep", SERVICE)
    }


def test_maintenance_that_begins_during_a_round_is_no_outage(tmp_path: Path) -> None:
    probe = {"kind": "cmd", "argv": ["sh", "-c", f"touch {tmp_path}/maintenance.on; exit 1"]}
    assert look({"live": probe}, flag=tmp_path / "maintenance.on").states() == [State.MAINTENANCE]


def test_a_costly_probe_rests_and_its_verdict_holds_meanwhile() -> None:
    notebook = look({"live": PASSES, "deep": {**FAILS, "interval_seconds": 60}}, rounds=3)
    assert len(notebook.states("live")) == 3
    assert len(notebook.states("deep")) == 1
    assert notebook.states() == [State.DEGRADED] * 3


PROBE_COMMAND = [sys.executable, "-m", "monitoring", "probe"]


def look_through(through: list[str], *, flag: Path | None = None) -> Notebook:
    probes = {"live": PASSES, "queue": FAILS}
    facts = {"crm": "demo", "product": "sample", "release": "1", "interval_seconds": 0.01, "probes": probes, "maintenance_flag": flag}
    notebook = Notebook()

    async def go() -> None:
        target = Target.model_validate({**facts, "host": "web1", "through": through, "elsewhere": ["queue"]})
        await Watch(target=target, clock=open_clock(), sink=notebook, slots=asyncio.Semaphore(1)).look()

    asyncio.run(go())
    return notebook


def test_a_probe_that_another_host_carries_out_counts_like_one_of_here() -> None:
    seen = look_through(PROBE_COMMAND)
    assert seen.hosts == {"web1": True}
    assert seen.states("live") == [State.UP]
    assert seen.states("queue") == [State.DOWN]
    assert seen.states() == [State.DEGRADED]


def test_a_host_that_cannot_be_asked_leaves_its_probes_unknown_and_the_crm_as_it_is_seen_from_here() -> None:
    seen = look_through(["false"])
    assert seen.states("queue") == []
    assert seen.hosts == {"web1": False}
    assert seen.states() == [State.UP]


def test_the_flag_of_maintenance_is_looked_for_where_the_crm_is(tmp_path: Path) -> None:
    flag = tmp_path / "maintenance.on"
    flag.touch()
    assert look_through(PROBE_COMMAND, flag=flag).states() == [State.MAINTENANCE]
