"""What runs on a host when its carrier dies or the way to it breaks: it is awaited there, and two never work at once."""

import time

import pytest

from appliance.domain.operation import OperationStatus
from tests.hosts.fixtures import Played
from tests.hosts.stage import Scenario, Stage, told
from tests.hosts.world import TOOLS_PYTHON, World, assert_no_connection_is_left
from tests.lab.host import LabHost
from tests.support.house import wait_for

LOG = "/var/tmp/slow.log"
SECONDS = "/var/tmp/slow.seconds"
SLOW = f"""#!/bin/sh
# Stands for a long task of a playbook.
echo "begin $$" >>{LOG}
sleep "$(cat {SECONDS})"
{TOOLS_PYTHON}3 "$@"
code=$?
echo "end $$" >>{LOG}
exit $code
"""


def begin(stage: Stage, *, seconds: int) -> tuple[World, int]:
    """Request a preparation in which a task takes its time, and wait until it has begun on the host."""
    world = stage.open(stage.prepared())
    host = world.hosts["web1"]
    host.run(f"rm {TOOLS_PYTHON}; cat >{TOOLS_PYTHON}; chmod 755 {TOOLS_PYTHON}; echo {seconds} >{SECONDS}", input=SLOW)
    operation = world.request("host-prepare", "host:web1")
    wait_for(lambda: "begin" in host.run(f"cat {LOG}", check=False).stdout, seconds=120)
    return world, operation


def assert_one_after_the_other(host: LabHost) -> None:
    words = [line.split() for line in host.run(f"cat {LOG}").stdout.splitlines()]
    open_now: set[str] = set()
    for word, process in words:
        assert word == "end" or not open_now, f"two at once: {words}"
        (open_now.add if word == "begin" else open_now.discard)(process)
    assert not open_now


def assert_done(world: World, operation: int) -> None:
    ended = world.ended(operation)
    assert (ended.status, ended.cause) == (OperationStatus.SUCCEEDED, None), world.log_of(operation)[-3000:]
    assert_one_after_the_other(world.hosts["web1"])
    assert_no_connection_is_left(world)


def a_task_whose_carrier_was_killed(stage: Stage) -> None:
    world, operation = begin(stage, seconds=8)
    world.kill_carrier(operation)
    killed = time.monotonic()
    wait_for(lambda: "(again, after an interruption)" in world.log_of(operation), seconds=30)
    assert time.monotonic() - killed < 8, "the next carrier came late"
    assert_done(world, operation)


def a_task_whose_worker_and_carrier_were_killed(stage: Stage) -> None:
    world, operation = begin(stage, seconds=8)
    world.kill_carrier(operation)
    world.kill_worker()
    world.start("worker")
    assert_done(world, operation)


def a_task_that_outlives_a_broken_way(stage: Stage) -> None:
    world, operation = begin(stage, seconds=40)
    world.hosts["web1"].cut_network()
    wait_for(lambda: "Trying again" in world.log_of(operation), seconds=60)
    world.hosts["web1"].mend_network()
    world.hosts["web1"].wait_for_ssh()
    world.hosts["web1"].run(f"echo 1 >{SECONDS}")
    assert_done(world, operation)


def a_task_that_ends_with_its_host(stage: Stage) -> None:
    world, operation = begin(stage, seconds=60)
    world.hosts["web1"].run(f"echo 1 >{SECONDS}; rm {LOG}")
    world.hosts["web1"].reboot()
    assert_done(world, operation)


SCENARIOS = (
    a_task_that_outlives_a_broken_way,
    a_task_whose_carrier_was_killed,
    a_task_whose_worker_and_carrier_were_killed,
    a_task_that_ends_with_its_host,
)


@pytest.mark.parametrize("scenario", SCENARIOS)
def test_it_is_awaited_on_the_host_before_it_is_begun_again(scenario: Scenario, played: Played) -> None:
    failure = played[scenario].exception()
    assert failure is None, told(failure)
