"""What an upgrade is refused for before anything is changed, each with its mend."""

import socket
from datetime import timedelta
from pathlib import Path

import pytest

from appliance.domain.instance import Instance, InstanceState
from appliance.domain.tls import Tls, TlsMode
from appliance.operations.machines import Machine, machine_of
from appliance.operations.preflight import certificate_lasts, clock_is_right, port_is_free
from tests.support.operating import make_appliance, now
from tests.support.web_world import NOON


@pytest.fixture
def here(tmp_path: Path) -> Machine:
    return machine_of(make_appliance(tmp_path), "localhost", channel="test")


def with_certificate(*, hours: float | None, mode: TlsMode = TlsMode.PRIVATE_CA) -> Instance:
    ends = None if hours is None else NOON + timedelta(hours=hours)
    return Instance(
        name="sales",
        product="creme",
        release="2.7.13",
        series="2.7",
        state=InstanceState.ACTIVE,
        slot=0,
        address="127.0.0.1",
        port=443,
        domain="crm.example",
        created_at=NOON,
        tls=Tls(mode=mode, not_after=ends),
    )


def test_a_clock_that_agrees_is_right(here: Machine) -> None:
    assert clock_is_right(here, now)() is None


def test_a_clock_a_day_behind_is_named_with_its_mend(here: Machine) -> None:
    problem = clock_is_right(here, lambda: now() + timedelta(days=1))()
    assert "behind this machine's; set it there" in str(problem)


@pytest.mark.parametrize("hours", [None, 2.0])
def test_a_certificate_that_lasts_is_no_matter(hours: float | None) -> None:
    assert certificate_lasts(with_certificate(hours=hours), NOON)() is None


@pytest.mark.parametrize("hours", [0.5, -24.0])
def test_a_certificate_that_ends_in_the_middle_is_to_be_renewed_first(hours: float) -> None:
    assert "appliance certificate renew sales" in str(certificate_lasts(with_certificate(hours=hours), NOON)())


def test_one_s_own_certificate_is_to_be_replaced() -> None:
    expired = with_certificate(hours=-24.0, mode=TlsMode.OWN)
    assert "appliance certificate replace sales --certificate FILE --key FILE" in str(certificate_lasts(expired, NOON)())


def test_a_taken_private_port_is_named(here: Machine) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        assert port_is_free(here.reach, "127.0.0.1", port, mend="end what listens there")() == (
            f"127.0.0.1:{port} cannot be used (Address already in use); end what listens there"
        )
