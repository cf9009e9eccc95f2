"""What the pages show."""

import re
from datetime import timedelta

import pytest

from appliance.domain.instance import InstanceState
from appliance.domain.operation import OperationStatus
from appliance.domain.repository import Repository
from monitoring.clock import Moment
from monitoring.ledger import SERVICE, Ledger, Observation, State
from tests.support.web_world import NOON, STEPS, Browser, PanelWorld, add_sales, end_operation, run_operation

HOSTILE = "<script>alert(1)</script>\"'><img src=x onerror=alert(2)>{{ 7*7 }}"


def text_of(page: str) -> str:
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", page))


def see(world: PanelWorld, state: State) -> None:
    file = world.appliance.settings.ledger_file
    file.parent.mkdir(parents=True, exist_ok=True)
    file.unlink(missing_ok=True)
    moment = Moment(wall=NOON, boot_id="b", boot_seconds=100)
    seen = Observation(
        crm="sales",
        target=SERVICE,
        state=state,
        at=moment,
        cause="live",
        reason="no answer",
        believed_seconds=60,
        believed_after_start_seconds=60,
    )
    with Ledger(file) as ledger:
        ledger.record([seen], [], moment)


def test_an_empty_appliance_teaches_what_comes(world: PanelWorld, alice: Browser, victor: Browser) -> None:
    world.appliance.store.instances.remove("sales")
    assert 'href="/install"' in alice.get("/").text
    assert "An administrator can install the first one" in victor.get("/").text


def test_the_overview_shows_each_crm_at_a_glance(world: PanelWorld, alice: Browser) -> None:
    run_operation(world.appliance)
    text = text_of(alice.get("/").text)
    for wanted in ("sales", "Active", "2.7.13", "crm.example:8480", "Last backup 7 hours ago", "Last proven restore 1 hour ago", "Running"):
        assert wanted in text


def test_the_overview_asks_for_what_is_missing(world: PanelWorld) -> None:
    add_sales(world.appliance, name="support", slot=1)
    world.appliance.store.points.forget(["support-1", "support-2"])
    end_operation(world.appliance, run_operation(world.appliance).id, OperationStatus.ROLLED_BACK, cause="no room")
    world.moment = NOON + timedelta(hours=11)
    world.appliance.store.points.forget(["sales-1", "sales-2"])
    text = text_of(world.browser_of("Alice").get("/").text)
    for wanted in ("support has no backup.", "sales has no backup.", "Upgrade of sales: rolled back."):
        assert wanted in text


def test_trying_again_is_said_to_begin_anew_only_where_it_does(world: PanelWorld, alice: Browser, victor: Browser) -> None:
    ended = run_operation(world.appliance).id
    end_operation(world.appliance, ended, OperationStatus.ROLLED_BACK, cause="no room")
    told = ["Trying again is a new operation" in browser.get(f"/operations/{ended}").text for browser in (alice, victor)]
    stuck = run_operation(world.appliance, instance="other").id
    end_operation(world.appliance, stuck, OperationStatus.NEEDS_ATTENTION, cause="no room")
    page = alice.get(f"/operations/{stuck}").text
    assert (told, "Trying again is a new operation" in page, "from the step that failed" in page) == ([True, False], False, True)


def test_an_old_backup_and_an_old_proof_need_attention(world: PanelWorld) -> None:
    world.moment = NOON + timedelta(hours=11, minutes=50)
    answer = world.browser_of("Victor").get("/")
    assert (answer.status_code, "Needs attention" in answer.text) == (200, False)
    world.moment = NOON + timedelta(days=31)
    text = text_of(world.browser_of("Victor").get("/").text)
    assert "it may be 26 h 0 min old" in text
    assert "a month old" in text


def test_the_scratch_copy_of_a_drill_is_no_crm(world: PanelWorld, alice: Browser) -> None:
    add_sales(world.appliance, name="support-drill", slot=1)
    world.appliance.store.instances.mark("support-drill", InstanceState.SCRATCH)
    assert all("support-drill" not in alice.get(address).text for address in ("/", "/instances", "/backups", "/operations"))


def test_repositories_elsewhere_are_shown_with_how_the_last_copying_went(world: PanelWorld, alice: Browser, victor: Browser) -> None:
    assert "Repositories elsewhere" not in victor.get("/backups").text
    repositories = world.appliance.store.repositories
    repositories.add(Repository(name="offsite", location="rest:https://nas:8000/crm/", created_at=NOON), by="Alice")
    assert "not used yet" in alice.get("/backups").text
    repositories.note("offsite", "It did not answer within 30 s.", works=False, now=NOON)
    page = alice.get("/backups").text
    assert ("fails" in page, "It did not answer within 30 s." in page) == (True, True)
    repositories.retain("offsite", {"location": "rest:https://nas:8001/crm/", "keep": {"daily": 7}}, by="Alice", now=NOON)
    assert "keeps daily=7" in alice.get("/backups").text


def test_a_recovery_point_is_unproven_until_it_was_restored(alice: Browser) -> None:
    rows = alice.get("/backups").text.split("list-row-4")[1:]
    shown = {"sales-1" if "sales-1" in row else "sales-2": "Unproven" if "Unproven" in row else "Proven" for row in rows}
    assert shown == {"sales-1": "Proven", "sales-2": "Unproven"}


def test_the_backups_of_a_removed_crm_are_shown_with_what_can_be_done(world: PanelWorld, alice: Browser, victor: Browser) -> None:
    add_sales(world.appliance, name="support", slot=1)
    world.appliance.store.instances.remove("support")
    page = alice.get("/backups").text
    assert text_of(page).index("sales-1") < text_of(page).index("Of CRMs that were removed") < text_of(page).index("support-1")
    assert 'href="/backups/support/restore?point=support-2"' in page
    assert "/instances/support" not in page
    assert "support-1" in alice.get("/backups?instance=support").text
    assert "sales-1" not in alice.get("/backups?instance=support").text
    assert "/backups/support/restore" not in victor.get("/backups").text
    told = world.program_of("Victor").get("/api/v1/recovery-points").json()
    assert [point["id"] for point in told] == ["sales-2", "sales-1", "support-2", "support-1"]


def test_a_viewer_is_shown_no_button_that_changes_something(world: PanelWorld, victor: Browser) -> None:
    run_operation(world.appliance)
    for address in ("/", "/instances", "/instances/sales", "/backups", "/operations/1"):
        forms = re.findall(r'<form[^>]*method="post"[^>]*action="([^"]+)"', victor.get(address).text)
        assert set(forms) == {"/theme", "/language", "/logout"}, address


def test_operations_are_listed_a_page_at_a_time(world: PanelWorld, alice: Browser) -> None:
    for _ in range(32):
        end_operation(world.appliance, run_operation(world.appliance).id, OperationStatus.SUCCEEDED)
    first = alice.get("/operations").text
    second = alice.get("/operations?before=3").text
    assert re.findall(r'href="/operations/(\d+)"', first) == [str(number) for number in range(32, 2, -1)]
    assert "before=3" in first
    assert re.findall(r'href="/operations/(\d+)"', second) == ["2", "1"]


@pytest.mark.parametrize(
    ("query", "seen"),
    [
        ("status=failed", ["2"]),
        ("kind=backup", ["2"]),
        ("instance=sales&status=succeeded", ["1"]),
        ("instance=other", []),
        ("status=nonsense&before=x", ["2", "1"]),
    ],
)
def test_operations_are_filtered(world: PanelWorld, alice: Browser, query: str, seen: list[str]) -> None:
    end_operation(world.appliance, run_operation(world.appliance).id, OperationStatus.SUCCEEDED)
    end_operation(world.appliance, run_operation(world.appliance, kind="backup").id, OperationStatus.FAILED)
    assert re.findall(r'href="/operations/(\d+)"', alice.get(f"/operations?{query}").text) == seen


def test_all_steps_of_an_operation_are_shown_beforehand(world: PanelWorld, alice: Browser) -> None:
    run_operation(world.appliance)
    page = alice.get("/operations/1").text
    assert re.findall(r'class="step" data-status="(\w+)"', page) == ["running", "pending", "pending"]
    assert all(title in page for _, title in STEPS)


def test_a_failed_operation_begins_with_its_cause_and_what_to_do(world: PanelWorld, alice: Browser) -> None:
    operation = run_operation(world.appliance)
    world.appliance.store.operations.finish(
        operation.id, OperationStatus.FAILED, now=NOON, cause="The disk is full.", next_action="Make room."
    )
    text = text_of(alice.get("/operations/1").text)
    assert (
        text.index("Cause: The disk is full.")
        < text.index("What to do: Make room.")
        < text.index("Steps")
        < text.index("Log Share… Download")
    )


def test_an_operation_that_needs_somebody_says_what_to_do_and_offers_it(world: PanelWorld, oscar: Browser, victor: Browser) -> None:
    operation = run_operation(world.appliance)
    world.appliance.store.operations.finish(operation.id, OperationStatus.NEEDS_ATTENTION, now=NOON, next_action="Start PostgreSQL.")
    page = oscar.get("/operations/1").text
    text = text_of(page)
    assert text.index("It needs you") < text.index("What to do: Start PostgreSQL.") < text.index("It is mended: go on taking back")
    assert page.count('action="/operations/1/retry"') == 1
    text = text_of(victor.get("/operations/1").text)
    assert "Somebody who may request “Upgrade” can go on from here" in text


def test_what_was_logged_so_far_is_in_the_page_itself(world: PanelWorld, alice: Browser) -> None:
    run_operation(world.appliance)
    page = alice.get("/operations/1").text
    assert "looking at the disk" in page
    assert 'hx-sse:connect="/operations/1/stream?after=1"' in page


def test_an_ended_operation_opens_no_stream(world: PanelWorld, alice: Browser) -> None:
    end_operation(world.appliance, run_operation(world.appliance).id, OperationStatus.SUCCEEDED)
    assert "hx-sse:connect" not in alice.get("/operations/1").text


def test_hostile_text_is_shown_inert(world: PanelWorld, alice: Browser) -> None:
    operation = run_operation(world.appliance)
    world.appliance.store.logs.add(operation.id, HOSTILE, step=HOSTILE, now=NOON)
    world.appliance.store.operations.finish(operation.id, OperationStatus.FAILED, now=NOON, cause=HOSTILE, next_action=HOSTILE)
    for address in ("/operations/1", "/", "/login?next=" + HOSTILE, "/install?product=" + HOSTILE, "/operations?instance=" + HOSTILE):
        page = alice.get(address).text
        assert "<script>alert" not in page
        assert "<img src=x" not in page


def test_a_hostile_form_comes_back_inert(alice: Browser) -> None:
    answer = alice.post("/install", {"product": "creme", "name": HOSTILE, "setting.time_zone": HOSTILE})
    assert answer.status_code == 422
    assert "<script>alert" not in answer.text
    assert "<img src=x" not in answer.text


@pytest.mark.parametrize(
    "address", ["/operations/99", "/operations/x", "/operations/99999999999999999999", "/instances/..%2f..", "/nothing"]
)
def test_what_is_not_there_is_told_on_a_page(alice: Browser, address: str) -> None:
    answer = alice.get(address)
    assert (answer.status_code, answer.headers["content-type"]) == (404, "text/html; charset=utf-8")


def test_the_whole_log_can_be_downloaded(world: PanelWorld, victor: Browser) -> None:
    run_operation(world.appliance)
    answer = victor.get("/operations/1/log.txt")
    assert answer.text == "2026-03-02T12:00:00Z preflight: looking at the disk\n"
    assert "attachment" in answer.headers["content-disposition"]


def test_the_password_of_the_first_user_is_shown_to_an_administrator_and_audited(world: PanelWorld, alice: Browser) -> None:
    world.appliance.store.vault.put("sales", "admin_password", "first-log-in-secret")
    assert "first-log-in-secret" not in alice.get("/instances/sales").text
    answer = alice.post("/instances/sales/password")
    assert (answer.status_code, "first-log-in-secret" in answer.text) == (200, True)
    with world.appliance.store.database.engine.connect() as connection:
        assert connection.exec_driver_sql("SELECT actor, action, subject FROM audit").all() == [("Alice", "reveal password", "sales")]


@pytest.mark.parametrize(
    ("state", "shown", "asks"),
    [
        (State.UP, "Healthy", False),
        (State.DEGRADED, "Degraded", True),
        (State.DOWN, "Down", True),
        (State.MAINTENANCE, "Maintenance", False),
    ],
)
def test_the_overview_shows_how_the_monitor_found_a_crm(world: PanelWorld, alice: Browser, state: State, shown: str, asks: bool) -> None:
    see(world, state)
    page = alice.get("/").text
    assert f"</span>{shown}</span>" in page
    assert ("no answer" in page) == asks


def test_what_was_seen_long_ago_says_nothing_about_now(world: PanelWorld, alice: Browser) -> None:
    see(world, State.DOWN)
    world.moment += timedelta(minutes=3)
    assert "</span>Active</span>" in alice.get("/").text
    world.appliance.settings.ledger_file.write_bytes(b"no ledger" * 999)
    assert alice.get("/").status_code == 200
