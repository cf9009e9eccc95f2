"""What runs on a host when its carrier dies or the way to it breaks: it is awaited there, and two never work at once."""

import time

import pytest

from appliance.domain.operation import OperationStatus
from tests.hosts.conftest import Played
from tests.hosts.layers import NEW
from tests.hosts.stage import Scenario, Stage
from tests.hosts.world import CRM, World
from tests.lab.host import LabHost
from tests.support.house import wait_for

UV = "/opt/crm-host/venv/bin/uv"
LOG = "/var/tmp/uv.log"
SLOW = f"""#!/bin/sh
# Stands for a long task of a playbook: building a release.
echo "begin $$" >>{LOG}
sleep "$(cat /var/tmp/uv.seconds)"
{UV}.real "$@"
code=$?
echo "end $$" >>{LOG}
exit $code
"""


def open_slow(stage: Stage) -> World:
    """A host where the next release is not built yet, and building it takes its time."""
    world = stage.open(stage.crm())
    host = world.hosts["web1"]
    host.run(f"rm -r /srv/crm/{CRM}/releases/{NEW}-*; mv {UV} {UV}.real; cat >{UV}; chmod 755 {UV}", input=SLOW)
    return world


def begin(world: World, *, seconds: int) -> int:
    """Request the upgrade and wait until the task has begun on the host."""
    host = world.hosts["web1"]
    host.run(f"echo {seconds} >/var/tmp/uv.seconds; rm -f {LOG}")
    operation = world.request("upgrade", CRM, to=NEW)
    wait_for(lambda: "begin" in host.run(f"cat {LOG}", check=False).stdout, seconds=120)
    return operation


def assert_one_after_the_other(host: LabHost) -> None:
    words = [line.split() for line in host.run(f"cat {LOG}").stdout.splitlines()]
    open_now: set[str] = set()
    for word, process in words:
        assert word == "end" or not open_now, f"two at once: {words}"
        (open_now.add if word == "begin" else open_now.discard)(process)
    assert not open_now


def a_task_whose_carrier_was_killed(stage: Stage) -> None:
    slow = open_slow(stage)
    operation = begin(slow, seconds=8)
    slow.kill_carrier(operation)
    killed = time.monotonic()
    wait_for(lambda: "(again, after an interruption)" in slow.log_of(operation), seconds=30)
    assert time.monotonic() - killed < 8, "the next carrier came late"
    ended = slow.ended(operation)
    assert (ended.status, ended.cause) == (OperationStatus.SUCCEEDED, None)
    assert_one_after_the_other(slow.hosts["web1"])
    assert slow.serves(NEW)


def a_task_that_outlives_a_broken_way(stage: Stage) -> None:
    slow = open_slow(stage)
    operation = begin(slow, seconds=30)
    slow.hosts["web1"].cut_network()
    wait_for(lambda: "Trying again" in slow.log_of(operation), seconds=60)
    slow.hosts["web1"].mend_network()
    ended = slow.ended(operation)
    assert (ended.status, ended.cause) == (OperationStatus.SUCCEEDED, None), slow.log_of(operation)[-3000:]
    assert_one_after_the_other(slow.hosts["web1"])
    assert slow.serves(NEW)


@pytest.mark.parametrize("scenario", [a_task_whose_carrier_was_killed, a_task_that_outlives_a_broken_way])
def test_it_is_awaited_on_the_host_before_it_is_begun_again(scenario: Scenario, played: Played) -> None:
    played[scenario].result()
