"""How much people work with a CRM: what its database answers, what is kept of it, and what the metrics are told."""

from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from appliance.domain.adoption import KEPT, MOST_DEPARTMENTS, Adoption, answered, unanswered
from appliance.domain.adoption_told import adoption_told
from appliance.operations.adopting import Adopting, facts_of, is_wanted, questions_of
from appliance.products.catalogue import SHIPPED, load
from monitoring.clock import open_clock
from monitoring.exporter.collector import ApplianceCollector
from monitoring.facts import ACTIVE_USERS, ADOPTION, LAST_ACTIVE
from monitoring.ledger import Ledger
from monitoring.monitor import Status
from monitoring.targets import Target
from tests.support.web_world import NOON, PanelWorld, make_world

TODAY = NOON.date()


@pytest.fixture
def world(tmp_path: Path) -> PanelWorld:
    return make_world(tmp_path)


def rows(*active: tuple[Any, ...], records: Any = 10, untouched: Any = 4, newest: Any = "2026-03-02T09:00:00+01:00") -> dict[str, Any]:
    return {"records": [[records]], "untouched": [[untouched]], "newest_change": [[newest]], "active_users": active}


def tell(*active: tuple[Any, ...], before: Adoption | None = None, days: int = 0) -> Adoption:
    return answered("sales", rows(*active), before=before, now=NOON + timedelta(days=days))


def test_an_answer_is_read_with_its_departments() -> None:
    found = tell(("2026-03-01", "Sales", 3), ("2026-03-01", "", 1), (None, "Support", 0))
    assert (found.departments, found.active_on(date(2026, 3, 1), "Sales"), found.untouched_ratio) == (("Sales", "Support"), 3, 0.4)
    assert found.newest_change == datetime(2026, 3, 2, 8, tzinfo=UTC)
    assert (found.last_active("Sales"), found.last_active("Support")) == (date(2026, 3, 1), None)


def test_a_time_without_a_zone_is_utc_and_no_record_is_no_share() -> None:
    empty = answered("sales", rows(records=0, untouched=0, newest=None), before=None, now=NOON)
    assert (empty.newest_change, empty.untouched_ratio) == (None, 0.0)
    assert answered("sales", rows(newest="2026-03-02T09:00:00"), before=None, now=NOON).newest_change == datetime(2026, 3, 2, 9, tzinfo=UTC)


def test_of_each_day_the_most_that_was_told_is_kept() -> None:
    before = tell(("2026-03-01", "Sales", 3))
    assert tell(("2026-03-01", "Sales", 1), ("2026-03-02", "Sales", 2), before=before).days == {
        date(2026, 3, 1): {"Sales": 3},
        date(2026, 3, 2): {"Sales": 2},
    }


def test_after_ninety_days_only_the_last_day_of_a_department_is_known() -> None:
    before = tell(("2026-02-27", "Sales", 3), ("2026-03-01", "Sales", 3), ("2026-03-01", "Gone", 1))
    later = tell((None, "Sales", 0), before=before, days=KEPT.days + 5)
    assert later.days == {date(2026, 3, 1): {"Sales": 3}}


def test_departments_are_bounded_and_on_one_line() -> None:
    many = tell(*((None, f"Team {number:03}\n{'x' * 99}", 0) for number in range(80)))
    assert len(many.departments) == MOST_DEPARTMENTS
    assert all(len(name) <= 60 and "\n" not in name for name in many.departments)


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        (rows(records="many"), "invalid literal"),
        (rows(records=None), "records gives no number"),
        (rows(newest="yesterday"), "isoformat"),
        ({"records": []}, "records gives no row"),
        (rows(("2026-03-01", "Sales")), "active_users gives rows"),
        (rows(("Monday", "Sales", 1)), "active_users gives rows"),
    ],
)
def test_what_is_no_answer_is_refused(wrong: dict[str, Any], said: str) -> None:
    with pytest.raises(ValueError, match=said):
        answered("sales", wrong, before=None, now=NOON)


def test_who_does_not_answer_leaves_what_was_known() -> None:
    before = tell(("2026-03-01", "Sales", 3))
    after = unanswered("sales", "The database did not answer.", before=before, now=NOON + timedelta(hours=1))
    assert (after.asked_at, after.days, after.problem) == (NOON, before.days, "The database did not answer.")
    assert adoption_told(after, NOON)[0] == ("problem", "The database did not answer. What follows may be old.")


def test_what_metrics_are_told_is_bounded_and_of_the_last_whole_day() -> None:
    told = facts_of([tell(("2026-03-01", "Sales", 3), ("2026-03-02", "Sales", 9), ("2026-03-01", "", 1), (None, "Support", 0))], NOON)
    assert told[ACTIVE_USERS] == {("sales", "Sales"): 3, ("sales", "Support"): 0, ("sales", "none"): 1}
    assert told[LAST_ACTIVE] == {("sales", "Sales"): datetime(2026, 3, 2, tzinfo=UTC).timestamp(), ("sales", "Support"): 0}
    assert told[ADOPTION]["sales", "untouched_ratio"] == 0.4
    assert facts_of([tell(("2026-03-01", "Sales", 3))], NOON + timedelta(hours=25))[LAST_ACTIVE] == {}
    assert facts_of([unanswered("sales", "x", before=None, now=NOON)], NOON) == {ADOPTION: {}, ACTIVE_USERS: {}, LAST_ACTIVE: {}}


def test_every_shipped_product_knows_its_questions() -> None:
    for file in sorted(SHIPPED.glob("*/product.yml")):
        assert load(file).definition.metrics.adoption is not None, file


def test_it_is_asked_where_it_is_wanted_only(world: PanelWorld) -> None:
    store = world.appliance.store
    sales = store.instances.get("sales")
    assert set(questions_of(world.appliance, sales.product)) == {"records", "untouched", "newest_change", "active_users"}
    assert questions_of(world.appliance, "nosuch") == {}
    assert is_wanted(sales)
    store.instances.measure_adoption("sales", wanted=False, by="Alice", now=NOON)
    assert not is_wanted(store.instances.get("sales"))


def test_a_database_that_is_not_there_is_said_and_asked_again_an_hour_later(world: PanelWorld) -> None:
    adopting = Adopting(appliance=world.appliance, now=lambda: world.moment)
    store = world.appliance.store
    world.appliance.settings.ledger_file.parent.mkdir(parents=True, exist_ok=True)
    for operation in store.operations.list(instance="sales"):
        assert operation.status.is_final
    for minutes, tried in ((0, 0), (59, 0), (60, 60)):
        world.moment = NOON + timedelta(minutes=minutes)
        adopting.look()
        found = store.adoption.find("sales")
        assert found is not None
        assert (found.tried_at, "did not answer" in found.problem) == (NOON + timedelta(minutes=tried), True)
    store.instances.measure_adoption("sales", wanted=False, by="Alice", now=NOON)
    adopting.look()
    assert store.adoption.list() == []


def test_it_goes_with_the_crm(world: PanelWorld) -> None:
    world.appliance.store.adoption.put(tell(("2026-03-01", "Sales", 3)))
    world.appliance.store.instances.remove("sales")
    assert world.appliance.store.adoption.list() == []


def test_the_exporter_tells_it_of_crms_that_are_configured(tmp_path: Path) -> None:
    target = Target.model_validate({"crm": "sales", "product": "sample", "release": "1", "probes": {}})
    with Ledger(tmp_path / "ledger.sqlite") as ledger:
        for name, facts in facts_of([tell(("2026-03-01", "Sales", 3))], NOON).items():
            ledger.tell_facts(name, facts | {("gone", "Sales"): 1.0})
        told = ApplianceCollector(ledger, Status(targets=(target,)), open_clock()).write().decode()
    assert 'appliance_adoption_active_users{crm="sales",department="Sales"} 3.0' in told
    assert 'appliance_adoption_records{crm="sales"} 10.0' in told
    assert 'crm="gone"' not in told
