"""Certificates are renewed in time, and once."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from appliance.domain.tls import Tls, TlsMode
from appliance.operations.certifying import hand_over
from appliance.operations.renewing import Renewing, forget_unneeded, renew_due
from appliance.wiring import Appliance
from tests.support.operating import make_appliance
from tests.support.web_world import add_sales

NOW = datetime(2026, 3, 2, 12, tzinfo=UTC)


@pytest.fixture
def appliance(tmp_path: Path) -> Appliance:
    made = make_appliance(tmp_path)
    add_sales(made)
    protect(made, left_days=29)
    return made


def protect(appliance: Appliance, *, left_days: int, mode: TlsMode = TlsMode.PRIVATE_CA) -> None:
    end = NOW + timedelta(days=left_days)
    tls = Tls(mode=mode, certificate="abc", trust="PEM", issued_at=end - timedelta(days=90), not_after=end)
    appliance.store.instances.protect("sales", tls)


def test_what_is_due_is_requested_and_only_once(appliance: Appliance) -> None:
    assert renew_due(appliance, NOW) == ["sales"]
    operation = appliance.store.operations.list()[0]
    assert (operation.kind, operation.parameters["action"], operation.requested_by) == ("certificate", "renew", "the appliance")
    assert renew_due(appliance, NOW) == []


@pytest.mark.parametrize(("left_days", "mode"), [(31, TlsMode.PRIVATE_CA), (1, TlsMode.OWN), (31, TlsMode.ACME)])
def test_what_is_not_due_is_left_alone(appliance: Appliance, left_days: int, mode: TlsMode) -> None:
    protect(appliance, left_days=left_days, mode=mode)
    assert renew_due(appliance, NOW) == []


def test_a_renewal_that_failed_is_tried_again_the_next_day(appliance: Appliance) -> None:
    renew_due(appliance, NOW)
    appliance.store.operations.request_cancel(appliance.store.operations.list()[0].id, now=NOW)
    assert renew_due(appliance, NOW + timedelta(hours=19)) == []
    assert renew_due(appliance, NOW + timedelta(hours=21)) == ["sales"]


def test_a_look_is_taken_once_an_hour_and_while_idle(appliance: Appliance) -> None:
    clock = [0.0]
    renewing = Renewing(monotonic=lambda: clock[0])
    renewing.look(appliance, NOW, idle=False)
    assert appliance.store.operations.list() == []
    renewing.look(appliance, NOW, idle=True)
    appliance.store.operations.request_cancel(appliance.store.operations.list()[0].id, now=NOW)
    for clock[0], requests in ((3599.0, 1), (3600.0, 2)):
        renewing.look(appliance, NOW + timedelta(days=1), idle=True)
        assert len(appliance.store.operations.list()) == requests


def test_a_key_that_no_request_needs_is_forgotten(appliance: Appliance) -> None:
    needed, unneeded = hand_over(appliance, {"key": "one"}), hand_over(appliance, {"key": "two"})
    parameters = {"action": "replace", "handover": needed}
    appliance.store.operations.record(kind="certificate", instance="sales", parameters=parameters, steps=[], requested_by="Alice", now=NOW)
    assert forget_unneeded(appliance) == [unneeded]
    assert appliance.store.vault.get(needed, "key") == "one"
