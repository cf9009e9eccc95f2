from pathlib import Path

import pytest

from appliance.domain.operation import OperationStatus
from appliance.errors import InvalidRequest
from appliance.operations.requesting import request, retry
from tests.support.operating import make_appliance, now
from tests.support.web_world import add_sales


def test_every_kind_takes_its_own_accepted_parameters_again(tmp_path: Path) -> None:
    appliance = make_appliance(tmp_path)
    add_sales(appliance)
    for kind, instance, parameters in (
        ("install", "fresh", {"product": appliance.store.instances.get("sales").product}),
        ("restore-beside", "copy", {"source": "sales"}),
        ("drill", "sales", {}),
    ):
        first = request(appliance, kind, instance, parameters, requested_by="admin", now=now())
        appliance.store.operations.finish(first.id, OperationStatus.FAILED, now=now())
        again = retry(appliance, first.id, requested_by="admin", now=now())
        assert again.parameters == first.parameters
        appliance.store.operations.finish(again.id, OperationStatus.FAILED, now=now())


def test_a_point_is_restored_on_the_host_it_lies_on(tmp_path: Path) -> None:
    appliance = make_appliance(tmp_path)
    add_sales(appliance)
    with pytest.raises(InvalidRequest, match="lies on the host localhost"):
        request(appliance, "restore-beside", "copy", {"source": "sales", "host": "web1"}, requested_by="admin", now=now())
