"""Settings of a CRM are changed by an operation; every request that cannot be met is refused before anything is recorded."""

from pathlib import Path
from typing import Any

import pytest

from appliance.domain.closure import Closure
from appliance.domain.instance import InstanceState
from appliance.domain.operation import OperationStatus
from appliance.errors import ApplianceError, Conflict, InvalidRequest, NotFound, PreflightFailed
from appliance.operations.kinds.configure import told_changes
from appliance.operations.requesting import request
from appliance.wiring import Appliance
from tests.support.operating import make_appliance
from tests.support.web_world import NOON, add_sales

FRENCH = {"language": "fr"}


@pytest.fixture
def appliance(tmp_path: Path) -> Appliance:
    made = make_appliance(tmp_path)
    add_sales(made)
    return made


def configure(appliance: Appliance, settings: Any, name: str = "sales") -> dict[str, Any]:
    return dict(request(appliance, "configure", name, {"settings": settings}, requested_by="Oscar", now=NOON).parameters)


def test_what_changes_is_recorded_and_nothing_else(appliance: Appliance) -> None:
    assert configure(appliance, {"language": "en", "time_zone": "Europe/Helsinki"}) == {"settings": {"time_zone": "Europe/Helsinki"}}
    assert appliance.store.instances.get("sales").settings == {"language": "en"}  # until they are in force


@pytest.mark.parametrize(
    ("settings", "error", "told"),
    [
        ({"colour": "red"}, InvalidRequest, "There is no setting 'colour'; there are: language, time_zone"),
        ({"language": "de"}, InvalidRequest, "Language is one of: en, fr"),
        ({"language": ["fr"]}, InvalidRequest, "Language is a text"),
        ({"language": "fr", "time_zone": "UTC; reboot"}, InvalidRequest, "Time zone does not have the expected form"),
        ({"language": "en"}, Conflict, "These are its settings already"),
        ({"time_zone": "UTC"}, Conflict, "These are its settings already"),
        ({}, InvalidRequest, "settings"),
        ("fr", InvalidRequest, "settings"),
    ],
)
def test_what_cannot_be_is_refused_and_nothing_is_recorded(
    appliance: Appliance, settings: Any, error: type[ApplianceError], told: str
) -> None:
    with pytest.raises(error, match="Nothing was changed") as refused:
        configure(appliance, settings)
    assert (told in str(refused.value), appliance.store.operations.list()) == (True, [])


def test_a_fixed_setting_is_refused_by_name(appliance: Appliance, tmp_path: Path) -> None:
    own = tmp_path / "etc" / "products"
    shipped = appliance.catalogue.get("creme").directory
    own.mkdir(parents=True)
    (own / "creme").mkdir()
    for part in shipped.iterdir():
        if part.name != "product.yml":
            (own / "creme" / part.name).symlink_to(part)
    text = (shipped / "product.yml").read_text()
    (own / "creme" / "product.yml").write_text(
        text.replace("choices: [en, fr], default: en}", "choices: [en, fr], default: en, fixed: true}")
    )
    with pytest.raises(InvalidRequest, match=r"Language cannot be changed after the installation\. It was en") as refused:
        configure(appliance, {"language": "fr", "time_zone": "Europe/Helsinki"})
    assert refused.value.field == "language"


def test_the_language_of_a_database_is_fixed_where_the_database_keeps_it(appliance: Appliance) -> None:
    fixed = {
        one.definition.id: [setting.name for setting in one.definition.settings if setting.fixed] for one in appliance.catalogue.list()
    }
    assert fixed == {"creme": [], "tryton": ["language"]}


def test_a_crm_that_is_closed_or_not_in_service_keeps_its_settings(appliance: Appliance) -> None:
    with pytest.raises(NotFound):
        configure(appliance, FRENCH, name="nobodys")
    appliance.store.instances.close("sales", Closure(message="Stocktaking.", by="Alice", at=NOON))
    with pytest.raises(PreflightFailed, match="closed for maintenance by Alice"):
        configure(appliance, FRENCH)
    appliance.store.instances.close("sales", None)
    appliance.store.instances.mark("sales", InstanceState.REMOVING)
    with pytest.raises(Conflict, match=r"sales is not in service \(removing\)\. Nothing was changed"):
        configure(appliance, FRENCH)
    appliance.store.instances.serve("sales", None, previous=None)
    with pytest.raises(Conflict, match="does not serve yet"):
        configure(appliance, FRENCH)
    assert appliance.store.operations.list() == []


def test_one_that_is_worked_on_is_left_to_that(appliance: Appliance) -> None:
    request(appliance, "backup", "sales", {}, requested_by="Oscar", now=NOON)
    with pytest.raises(Conflict, match="sales"):
        configure(appliance, FRENCH)


def test_a_second_person_is_asked_where_the_crm_asks_for_one(appliance: Appliance) -> None:
    appliance.store.instances.ask_approval("sales", wanted=True, by="Alice", now=NOON)
    asked = request(appliance, "configure", "sales", {"settings": FRENCH}, requested_by="Oscar", now=NOON)
    assert (asked.status, asked.awaits_approval) == (OperationStatus.QUEUED, True)


def test_settings_are_written_with_the_deployment_that_has_them(appliance: Appliance) -> None:
    instances = appliance.store.instances
    found = instances.get("sales")
    instances.serve("sales", found.previous, previous=found.deployment, settings=FRENCH)
    changed = instances.get("sales")
    assert (changed.settings, changed.release, changed.deployment) == (FRENCH, "2.7.12", found.previous)
    instances.serve("sales", found.deployment, previous=found.previous)
    assert instances.get("sales").settings == FRENCH


def test_a_change_is_told_from_what_to_what() -> None:
    told = told_changes({"language": "en", "sign_up": True}, {"language": "fr", "sign_up": False, "company": "Ärzte"})
    assert told == "language: en to fr, sign_up: yes to no, company: nothing to Ärzte"
