"""A link to an operation's log: made by who may, opened by who has it, and it tells nothing of where it is from."""

import re
from dataclasses import replace
from datetime import timedelta

import pytest
from sqlalchemy import select

from appliance.domain.operation import OperationStatus
from appliance.operations.sharing import shown_log
from appliance.store.models import ShareRow
from tests.support.web_world import NOON, Browser, PanelWorld, end_operation, run_operation

SECRET = "geheim-9f3a7c21"
LINES = [
    "cloning sales to web1 at 127.0.0.1 and 192.0.2.7",
    f"password {SECRET} of Alice for https://crm.example:8480/ was refused",
    "<script>alert(1)</script>",
]


@pytest.fixture(autouse=True)
def ended(world: PanelWorld) -> None:
    appliance = world.appliance
    appliance.store.vault.put("instance:sales", "admin", SECRET)
    operation = run_operation(appliance)
    for line in LINES:
        appliance.store.logs.add(operation.id, line, step="build", now=NOON + timedelta(seconds=5))
    end_operation(
        appliance, operation.id, OperationStatus.FAILED, now=NOON + timedelta(minutes=2), cause="sales does not answer at 192.0.2.7"
    )


def made(world: PanelWorld, days: int = 7) -> str:
    answer = world.program_of("Oscar").post("/api/v1/operations/1/shares", json={"days": days})
    assert answer.status_code == 201
    return str(answer.json()["url"]).removeprefix("http://127.0.0.1:8470")


def test_who_has_the_link_sees_the_log_and_nothing_of_where_it_is_from(world: PanelWorld, mallory: Browser) -> None:
    answer = mallory.get(made(world))
    assert (answer.status_code, answer.headers["x-robots-tag"]) == (200, "noindex, nofollow, noarchive")
    page = answer.text
    for hidden in ("sales", "web1", "192.0.2.7", SECRET, "Alice", "Oscar", "crm.example", "<script>alert"):
        assert hidden not in page, hidden
    assert "cloning crm-1 to host-2 at 127.0.0.1 and address-1" in page
    assert "crm-1 does not answer at address-1" in page
    assert "&lt;script&gt;" in page
    assert ('action="/logout"' in page, "<nav" in page, 'name="robots"' in page) == (False, False, True)


def test_the_token_is_kept_as_a_hash_only(world: PanelWorld) -> None:
    token = made(world).rpartition("/")[2]
    with world.appliance.store.database.reading() as session:
        (row,) = session.scalars(select(ShareRow))
        assert token not in str(vars(row))
    assert SECRET not in str(row.shown)


def test_a_link_is_over_after_its_days_and_when_it_is_revoked(world: PanelWorld, oscar: Browser, mallory: Browser) -> None:
    first, second = made(world, 1), made(world, 30)
    world.moment = NOON + timedelta(days=1)
    assert [mallory.get(link).status_code for link in (first, second)] == [404, 200]
    (listed,) = world.program_of("Oscar").get("/api/v1/operations/1/shares").json()
    assert oscar.csrf
    assert world.browser_of("Oscar").post(f"/operations/1/share/{listed['id']}/revoke").status_code == 303
    assert mallory.get(second).status_code == 404
    made(world)
    with world.appliance.store.database.reading() as session:
        assert len(session.scalars(select(ShareRow)).all()) == 1
    told = [one.action for one in world.appliance.store.audit.list() if "share" in one.action]
    assert told == ["share log", "unshare log", "share log", "share log"]


def test_one_that_never_was_is_answered_as_one_that_is_over(world: PanelWorld, mallory: Browser) -> None:
    link = made(world, 1)
    world.moment = NOON + timedelta(days=2)
    answers = [mallory.get(address) for address in (link, "/shared/guess", "/shared/%00", "/shared/" + "x" * 5000)]
    assert {(answer.status_code, re.sub(r"\s+", " ", answer.text)) for answer in answers} == {(404, re.sub(r"\s+", " ", answers[0].text))}


def test_nobody_asks_for_them_by_the_thousand(world: PanelWorld, mallory: Browser) -> None:
    codes = [mallory.get("/shared/guess").status_code for _ in range(61)]
    assert (codes[:60], codes[60]) == ([404] * 60, 429)
    world.moment += timedelta(minutes=1)
    assert mallory.get(made(world)).status_code == 200


def test_it_shows_the_log_as_it_was_shared(world: PanelWorld, mallory: Browser) -> None:
    link = made(world)
    world.appliance.store.logs.clear(1, "cleared", now=NOON)
    assert "cloning crm-1" in mallory.get(link).text


@pytest.mark.parametrize("days", ["0", "31", "-1", "x", "1e3", ""])
def test_days_that_cannot_be_are_refused(world: PanelWorld, oscar: Browser, days: str) -> None:
    answer = oscar.post("/operations/1/share", {"days": days})
    assert (answer.status_code, "Nothing was changed" in answer.text) == (422, True)
    assert world.appliance.store.shares.of(1, now=NOON) == []


def test_what_still_runs_is_not_shared(world: PanelWorld, oscar: Browser) -> None:
    running = run_operation(world.appliance)
    answer = oscar.post(f"/operations/{running.id}/share", {"days": "7"})
    assert (answer.status_code, "has not ended" in answer.text) == (409, True)


def test_the_page_shows_beforehand_what_is_seen_and_the_link_once(oscar: Browser) -> None:
    assert "cloning crm-1 to host-2" in oscar.get("/operations/1/share").text
    link = re.findall(r"http://127\.0\.0\.1:8470(/shared/[\w-]+)", oscar.post("/operations/1/share", {"days": "3"}).text)
    assert len(link) == 1
    assert "/shared/" not in oscar.get("/operations/1/share").text
    assert oscar.get(link[0]).status_code == 200


def test_the_preview_names_things_as_the_link_does(world: PanelWorld, oscar: Browser) -> None:
    logs = world.appliance.store.logs
    for number in range(1200):
        logs.add(1, f"line {number} about machine-{number % 7}.example.org", step="build", now=NOON)
    preview, link = (shown_log(world.appliance, world.operations()[0], most=most) for most in (500, 5000))
    assert (len(preview.lines), preview.earlier) == (500, link.earlier + len(link.lines) - 500)
    assert preview.lines == link.lines[-500:]
    assert re.fullmatch(r"line 1199 about host-\d", link.lines[-1].text)
    page = oscar.get("/operations/1/share").text
    assert (link.lines[-1].text in page, "line 699 about" in page) == (True, False)


def test_a_secret_of_several_lines_takes_no_line_with_it(world: PanelWorld) -> None:
    world.appliance.store.vault.put("instance:sales", "key", "-----BEGIN-----\nabcdefgh12345678\n-----END----- of it")
    for line in ("-----BEGIN-----", "abcdefgh12345678", "-----END----- of it", "\x1b]0;title", "still here"):
        world.appliance.store.logs.add(1, line, step="build", now=NOON)
    texts = [line.text for line in shown_log(world.appliance, world.operations()[0]).lines]
    assert len(texts) == world.appliance.store.logs.count(1)
    assert ("abcdefgh12345678" in str(texts), texts[-1]) == (False, "still here")


def test_a_name_of_two_lines_takes_no_line_with_it(world: PanelWorld) -> None:
    operation = replace(world.operations()[0], parameters={"name": "web1\nacme"})
    for line in ("to web1", "acme is there"):
        world.appliance.store.logs.add(1, line, step="build", now=NOON)
    texts = [line.text for line in shown_log(world.appliance, operation).lines]
    assert (len(texts), "acme" in str(texts)) == (world.appliance.store.logs.count(1), False)


def test_a_viewer_shares_nothing_unless_it_is_a_crm_that_was_granted(world: PanelWorld, victor: Browser) -> None:
    assert victor.post("/operations/1/share", {"days": "3"}).status_code == 403
    assert 'href="/operations/1/share"' not in victor.get("/operations/1").text
    world.appliance.store.grants.add("Victor", "sales", by="Alice", now=NOON)
    assert victor.post("/operations/1/share", {"days": "3"}).status_code == 200
    assert 'href="/operations/1/share"' in victor.get("/operations/1").text
