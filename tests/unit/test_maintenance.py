"""A CRM that somebody has closed stays closed until somebody opens it, and nothing takes its page for a leftover."""

from pathlib import Path

import pytest

from appliance.domain.closure import USUAL, Closure, read_message
from appliance.domain.operation import OperationStatus
from appliance.errors import Conflict, InvalidRequest, NotFound, PreflightFailed
from appliance.operations.requesting import request
from appliance.operations.tidying import hosts_at_rest, tidy_up
from appliance.operations.workflows import WORKFLOWS
from appliance.wiring import Appliance
from tests.support.left_behind import add_laid_out, page_of
from tests.support.operating import make_appliance
from tests.support.web_world import NOON
from tests.unit.test_tidying import carried

CLOSED = Closure(message="Stocktaking.", by="Alice", at=NOON)


@pytest.fixture
def closed(tmp_path: Path) -> Appliance:
    made = make_appliance(tmp_path)
    add_laid_out(made)
    page_of(made).touch()
    made.store.instances.close("sales", CLOSED)
    return made


def test_its_page_is_nothing_that_was_left_behind(closed: Appliance) -> None:
    assert tidy_up(closed, hosts_at_rest(closed), NOON, workflows=WORKFLOWS) == []
    ended = carried(closed)
    assert (ended.status, page_of(closed).exists()) == (OperationStatus.SUCCEEDED, True)


@pytest.mark.parametrize(("kind", "parameters"), [("upgrade", {"to": "2.8.6"}), ("patch", {})])
def test_what_would_let_visitors_in_is_refused(closed: Appliance, kind: str, parameters: dict[str, str]) -> None:
    with pytest.raises(PreflightFailed, match="closed for maintenance by Alice"):
        request(closed, kind, "sales", parameters, requested_by="Oscar", now=NOON)
    assert closed.store.operations.list() == []


@pytest.mark.parametrize(("kind", "parameters"), [("backup", {}), ("drill", {}), ("restore", {"point": "sales-1"}), ("rollback", {})])
def test_what_protects_it_is_not(closed: Appliance, kind: str, parameters: dict[str, str]) -> None:
    assert request(closed, kind, "sales", parameters, requested_by="Oscar", now=NOON).status == OperationStatus.QUEUED


def test_it_cannot_be_opened_twice(closed: Appliance) -> None:
    closed.store.instances.close("sales", None)
    with pytest.raises(Conflict, match="is open to its users"):
        request(closed, "maintenance", "sales", {"wanted": False}, requested_by="Oscar", now=NOON)
    with pytest.raises(NotFound):
        request(closed, "maintenance", "nobodys", {}, requested_by="Oscar", now=NOON)


def test_what_visitors_are_told_is_one_plain_line() -> None:
    assert read_message("  Back \r\n at noon ") == "Back at noon"
    assert read_message(" ") == USUAL
    assert read_message("<b>{1}</b>") == "<b>{1}</b>"  # the page escapes it


@pytest.mark.parametrize("text", ["x" * 301, "{{ lookup('pipe', 'id') }}", "a {% b", "{# c", "bell \x07", "\u202egpj.exe"])
def test_other_messages_are_refused(text: str) -> None:
    with pytest.raises(InvalidRequest, match="Nothing was changed"):
        read_message(text)
