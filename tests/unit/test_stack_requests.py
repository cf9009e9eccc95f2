"""What is refused of a monitoring stack before anything is recorded, and what is remembered of it."""

from pathlib import Path

import pytest

from appliance.domain.channel import Purpose
from appliance.domain.host import HostState
from appliance.domain.operation import Operation
from appliance.errors import ConfigurationError, InvalidRequest, NotFound, PreflightFailed
from appliance.operations.channels import add_channel
from appliance.operations.requesting import request
from appliance.operations.stack.kept import keep_stack
from appliance.wiring import Appliance
from tests.support.operating import make_appliance, now
from tests.support.web_world import add_web1

METRICS = "192.0.2.1:9471"


def world_of(tmp_path: Path, metrics_listen: str = METRICS, state: HostState = HostState.READY) -> Appliance:
    made = make_appliance(tmp_path, metrics_listen=metrics_listen)
    add_web1(made, state=state)
    add_channel(made, name="outside", url="https://hc.example.org/1", purpose=Purpose.HEARTBEAT, requested_by="Alice", now=now())
    return made


def requested(appliance: Appliance, subject: str = "host:web1", /, **parameters: object) -> Operation:
    return request(appliance, "monitoring-stack", subject, parameters, requested_by="Alice", now=now())


def test_a_host_that_is_not_prepared_is_refused_with_what_to_do(tmp_path: Path) -> None:
    appliance = world_of(tmp_path, state=HostState.ADDED)
    with pytest.raises(PreflightFailed, match="web1 is not prepared yet; run: appliance host prepare web1"):
        requested(appliance)
    assert appliance.store.operations.list() == []


def test_without_a_way_to_the_metrics_it_is_said_which_setting_makes_one(tmp_path: Path) -> None:
    with pytest.raises(PreflightFailed, match="metrics_listen"):
        requested(world_of(tmp_path, metrics_listen=""))


def test_a_setting_that_nobody_could_reach_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="Nothing was changed"):
        requested(world_of(tmp_path, metrics_listen="0.0.0.0:9471"))


@pytest.mark.parametrize(
    ("subject", "parameters", "error", "said"),
    [
        ("host:web9", {}, NotFound, "web9"),
        ("sales", {}, InvalidRequest, "is not a host"),
        ("host:localhost", {}, InvalidRequest, "appliance host add here"),
        ("host:web1", {"purge": True}, InvalidRequest, "goes only when the stack is removed"),
        ("host:web1", {"dead_man": "nobody"}, InvalidRequest, "there are outside"),
        ("host:web1", {"dead_man": "--web.listen-address=0.0.0.0"}, InvalidRequest, "is no heartbeat channel"),
        ("host:web1", {"other": 1}, InvalidRequest, "other"),
    ],
)
def test_what_cannot_be_is_refused(tmp_path: Path, subject: str, parameters: dict[str, object], error: type[Exception], said: str) -> None:
    appliance = world_of(tmp_path)
    with pytest.raises(error, match=said):
        requested(appliance, subject, **parameters)
    assert appliance.store.operations.list() == []


def test_the_dead_man_stays_until_something_else_is_said(tmp_path: Path) -> None:
    appliance = world_of(tmp_path)
    keep_stack(appliance, "web1", "outside")
    assert requested(appliance).parameters == {"wanted": True, "purge": False, "dead_man": "outside"}


def test_none_is_said_by_nothing(tmp_path: Path) -> None:
    appliance = world_of(tmp_path)
    keep_stack(appliance, "web1", "outside")
    assert requested(appliance, dead_man="").parameters["dead_man"] == ""


def test_it_is_removed_without_a_way_to_the_metrics(tmp_path: Path) -> None:
    assert requested(world_of(tmp_path, metrics_listen=""), wanted=False, purge=True).parameters["purge"] is True
