"""Webhooks in the panel and by the API."""

from collections.abc import Iterator

import pytest

from tests.support.receivers import Hook, web_server
from tests.support.web_world import Browser, PanelWorld


@pytest.fixture
def hook() -> Iterator[Hook]:
    with web_server() as hook:
        yield hook


def test_an_administrator_adds_tests_and_removes_one(world: PanelWorld, alice: Browser, hook: Hook) -> None:
    added = alice.post("/webhooks/add", {"name": "desk", "url": f"http://{hook.address}/in", "event:operation.failed": "yes"})
    secret = world.appliance.store.vault.get("webhook:desk", "secret")
    assert (secret in added.text, secret in alice.get("/webhooks").text) == (True, False)
    assert world.appliance.store.webhooks.get("desk").events == ("operation.failed",)
    assert "The test of desk arrived" in alice.post("/webhooks/desk/test").text
    assert "webhook.test" in alice.get("/webhooks").text
    assert secret not in alice.post("/webhooks/desk/secret").text
    assert (alice.post("/webhooks/desk/remove").status_code, world.appliance.store.webhooks.list()) == (303, [])


def test_a_test_that_does_not_arrive_says_why(alice: Browser, hook: Hook) -> None:
    hook.status = 503
    alice.post("/webhooks/add", {"name": "desk", "url": f"http://{hook.address}/in"})
    assert "did not arrive: it answered 503. It is tried again" in alice.post("/webhooks/desk/test").text


@pytest.mark.parametrize(("field", "value"), [("url", "ftp://x/"), ("url", "https://a:b@x/"), ("name", "<b>")])
def test_a_wrong_form_is_shown_again(world: PanelWorld, alice: Browser, field: str, value: str) -> None:
    answer = alice.post("/webhooks/add", {"name": "desk", "url": "https://desk.example.org/", **{field: value}})
    assert (answer.status_code, "Nothing was changed" in answer.text, "<b>" in answer.text) == (422, True, False)
    assert world.appliance.store.webhooks.list() == []


def test_a_program_does_the_same(world: PanelWorld, hook: Hook) -> None:
    program = world.program_of("Alice")
    added = program.post("/api/v1/webhooks", json={"name": "desk", "url": f"http://{hook.address}/in"})
    assert (added.status_code, added.json()["secret"][:6], added.headers["cache-control"]) == (201, "whsec_", "no-store")
    (listed,) = program.get("/api/v1/webhooks").json()
    assert (listed["name"], "secret" in listed) == ("desk", False)
    assert program.post("/api/v1/webhooks/desk/test").json()["status"] == "delivered"
    (sent,) = program.get("/api/v1/webhooks/desk/deliveries").json()
    assert (sent["type"], sent["message"]) == ("webhook.test", hook.sent[0][0]["webhook-id"])
    assert program.post("/api/v1/webhooks/desk/secret").json()["secret"] != added.json()["secret"]
    assert [program.delete("/api/v1/webhooks/desk").status_code for _ in range(2)] == [204, 404]
    assert program.get("/api/v1/webhooks/desk/deliveries").status_code == 404


def test_an_address_that_is_none_is_refused(world: PanelWorld) -> None:
    answer = world.program_of("Alice").post("/api/v1/webhooks", json={"name": "desk", "url": "file:///etc/passwd"})
    assert (answer.status_code, answer.json()["field"]) == (422, "url")
