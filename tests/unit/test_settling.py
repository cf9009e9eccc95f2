"""What the watch over a CRM that visitors were just let in to takes for unhealthy."""

from pathlib import Path

from appliance.operations.machines import machine_of
from appliance.operations.steps.settling import failing_of
from tests.support.operating import make_appliance


def test_probes_that_could_not_run_are_one_unhealthy_round_and_not_the_end(tmp_path: Path) -> None:
    machine = machine_of(make_appliance(tmp_path), "localhost", channel="test")
    assert failing_of(machine, [{"kind": "no such kind"}])[0].startswith("The probes could not run")
