"""Webhooks: signed messages to a real web server, each at least once whatever happens meanwhile."""

import base64
import hashlib
import hmac
import json
import os
import signal
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from typer.testing import CliRunner

from appliance.cli import app
from appliance.domain.operation import OperationStatus
from appliance.domain.webhook import PAUSES, DeliveryStatus, signature_of
from appliance.errors import InvalidRequest, NotFound
from appliance.operations.delivering import Delivering
from appliance.operations.webhooks import SECRET, add_webhook, remove_webhook, renew_secret, webhook_scope
from appliance.operations.webhooks import test_webhook as try_webhook
from appliance.wiring import Appliance
from tests.support.operating import make_appliance
from tests.support.receivers import Hook, free_port, web_server
from tests.support.web_world import NOON, end_operation, run_operation


@dataclass
class Site:
    """An appliance that tells the receiver, at a moment that the test moves."""

    appliance: Appliance
    hook: Hook
    moment: datetime = NOON
    secret: str = ""
    delivering: Delivering = field(init=False)

    def __post_init__(self) -> None:
        self.delivering = Delivering(appliance=self.appliance, now=lambda: self.moment)

    def add(self, *events: str, name: str = "desk", url: str = "") -> None:
        address = url or f"http://{self.hook.address}/in"
        _, self.secret = add_webhook(self.appliance, name=name, url=address, events=events, requested_by="Alice", now=self.moment)

    def statuses(self, name: str = "desk") -> list[tuple[str, int]]:
        return [(one.status.value, one.attempts) for one in self.appliance.store.webhooks.deliveries(name)]


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Site]:
    with web_server() as hook:
        yield Site(appliance=make_appliance(tmp_path), hook=hook)


def test_what_happens_is_told_signed_and_once(site: Site) -> None:
    site.add()
    run_operation(site.appliance)
    end_operation(site.appliance, 1, OperationStatus.SUCCEEDED)
    site.delivering.look()
    site.delivering.look()
    assert [body["type"] for _, body in site.hook.requests] == ["operation.queued", "operation.running", "operation.succeeded"]
    headers, text = site.hook.sent[2]
    assert (json.loads(text)["data"]["operation"], json.loads(text)["timestamp"]) == (1, "2026-03-02T12:00:00.000000+00:00")
    key = base64.b64decode(site.secret.removeprefix("whsec_"))  # as a receiver would, by the standard
    signed = f"{headers['webhook-id']}.{headers['webhook-timestamp']}.{text}".encode()
    assert headers["webhook-signature"] == "v1," + base64.b64encode(hmac.new(key, signed, hashlib.sha256).digest()).decode()
    assert headers["webhook-timestamp"] == str(int(NOON.timestamp()))


def test_the_signature_is_that_of_the_standard() -> None:
    """The example of its own libraries."""
    secret, body = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", '{"test": 2432232314}'
    found = signature_of(secret, message="msg_p5jXN8AQM9LWM0D4loKWxJek", timestamp=1614265330, body=body)
    assert found == "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="


def signatures(headers: Mapping[str, str]) -> list[str]:
    return headers["webhook-signature"].split(" ")


def expected(secret: str, headers: Mapping[str, str], text: str) -> str:
    timestamp = int(headers["webhook-timestamp"])
    return signature_of(secret, message=headers["webhook-id"], timestamp=timestamp, body=text)


def test_for_a_day_after_a_new_secret_messages_are_signed_with_each_that_is_not_over(site: Site) -> None:
    site.add()
    first = site.secret
    second = renew_secret(site.appliance, "desk", requested_by="Alice", now=site.moment)
    site.moment += timedelta(hours=23)
    third = renew_secret(site.appliance, "desk", requested_by="Alice", now=site.moment)
    signed_by = []
    for later in (timedelta(), timedelta(hours=1), timedelta(hours=22, minutes=59), timedelta(minutes=1)):
        site.moment += later
        try_webhook(site.appliance, "desk", requested_by="Alice", now=site.moment)
        headers, text = site.hook.sent[-1]
        assert signatures(headers)[0] == expected(third, headers, text)
        signed_by.append([expected(secret, headers, text) in signatures(headers) for secret in (first, second, third)])
    assert signed_by == [[True, True, True], [False, True, True], [False, True, True], [False, False, True]]


def test_an_old_secret_that_somebody_else_may_know_ends_at_once(site: Site) -> None:
    site.add()
    renew_secret(site.appliance, "desk", requested_by="Alice", now=site.moment)
    newest = renew_secret(site.appliance, "desk", requested_by="Alice", now=site.moment, at_once=True)
    try_webhook(site.appliance, "desk", requested_by="Alice", now=site.moment)
    headers, text = site.hook.sent[-1]
    assert signatures(headers) == [expected(newest, headers, text)]
    assert site.appliance.store.vault.all(webhook_scope("desk")) == {SECRET: newest}


def test_only_what_is_wanted_and_only_from_now_on_is_told(site: Site) -> None:
    run_operation(site.appliance)
    site.add("operation.failed")
    end_operation(site.appliance, 1, OperationStatus.FAILED)
    site.delivering.look()
    assert [body["type"] for _, body in site.hook.requests] == ["operation.failed"]


def test_what_does_not_arrive_is_tried_again_later_and_then_given_up(site: Site) -> None:
    site.add("operation.queued")
    site.hook.status = 500
    run_operation(site.appliance)
    for attempts, pause in enumerate(PAUSES, 1):
        site.delivering.look()
        site.delivering.look()
        assert (site.statuses(), len(site.hook.requests)) == ([("waiting", attempts)], attempts)
        site.moment += pause
    site.delivering.look()
    (given_up,) = site.appliance.store.webhooks.deliveries("desk")
    assert (given_up.status, given_up.try_at, given_up.note) == (DeliveryStatus.FAILED, None, "it answered 500")
    assert len({headers["webhook-id"] for headers, _ in site.hook.sent}) == 1


def test_what_arrives_in_the_end_is_delivered(site: Site) -> None:
    site.add("operation.queued")
    site.hook.status = 302
    run_operation(site.appliance)
    site.delivering.look()
    site.hook.status, site.moment = 204, site.moment + PAUSES[0]
    site.delivering.look()
    assert (site.statuses(), [path for path, _ in site.hook.requests]) == ([("delivered", 2)], ["/in", "/in"])


def test_one_that_is_gone_keeps_no_other_waiting(site: Site) -> None:
    site.add("operation.queued", name="gone", url=f"http://127.0.0.1:{free_port()}/")
    site.add("operation.queued")
    run_operation(site.appliance)
    site.delivering.look()
    assert (site.statuses("gone"), site.statuses()) == ([("waiting", 1)], [("delivered", 1)])


def test_however_much_waits_for_one_that_is_gone_the_others_are_told(site: Site) -> None:
    site.add("operation.queued", name="gone", url=f"http://127.0.0.1:{free_port()}/")
    site.add("operation.queued")
    for _ in range(120):
        site.appliance.store.webhooks.queue_test("gone", by="Alice", now=site.moment)
    site.moment += timedelta(minutes=2)
    run_operation(site.appliance, now=site.moment)
    site.delivering.look()
    assert site.statuses() == [("delivered", 1)]


def test_who_is_killed_after_sending_sends_it_again_and_loses_nothing(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    site.add("operation.queued")
    run_operation(site.appliance)
    if (child := os.fork()) == 0:
        monkeypatch.setattr(type(site.appliance.store.webhooks), "note", lambda *_, **__: os.kill(os.getpid(), signal.SIGKILL))
        site.delivering.look()
        os._exit(1)
    _, status = os.waitpid(child, 0)
    assert os.WTERMSIG(status) == signal.SIGKILL
    site.delivering.look()
    ids = [headers["webhook-id"] for headers, _ in site.hook.sent]
    assert (len(ids), len(set(ids)), site.statuses()) == (2, 1, [("delivered", 1)])


def test_a_test_is_a_message_like_the_others(site: Site) -> None:
    site.add("operation.failed")
    assert try_webhook(site.appliance, "desk", requested_by="Alice", now=site.moment).status is DeliveryStatus.DELIVERED
    assert [body["type"] for _, body in site.hook.requests] == ["webhook.test"]
    site.hook.status = 500
    assert try_webhook(site.appliance, "desk", requested_by="Alice", now=site.moment).note == "it answered 500"
    site.hook.status, site.moment = 200, site.moment + timedelta(minutes=2)
    site.delivering.look()
    assert site.statuses() == [("delivered", 2), ("delivered", 1)]


def test_a_new_secret_signs_from_then_on(site: Site) -> None:
    site.add()
    renewed = renew_secret(site.appliance, "desk", requested_by="Alice", now=site.moment)
    try_webhook(site.appliance, "desk", requested_by="Alice", now=site.moment)
    headers, text = site.hook.sent[0]
    said = signature_of(renewed, message=headers["webhook-id"], timestamp=int(headers["webhook-timestamp"]), body=text)
    assert (renewed != site.secret, signatures(headers)[0]) == (True, said)


def test_the_secret_is_encrypted_and_forgotten_with_its_webhook(site: Site) -> None:
    site.add()
    assert site.appliance.store.vault.get(webhook_scope("desk"), SECRET) == site.secret
    with site.appliance.store.database.engine.connect() as connection:
        assert site.secret.encode() not in b"".join(connection.exec_driver_sql("SELECT ciphertext FROM secrets").scalars())
    run_operation(site.appliance)
    site.delivering.look()
    remove_webhook(site.appliance, "desk", requested_by="Alice", now=site.moment)
    with pytest.raises(NotFound):
        site.appliance.store.vault.get(webhook_scope("desk"), SECRET)
    with site.appliance.store.database.engine.connect() as connection:
        assert connection.exec_driver_sql("SELECT count(*) FROM deliveries").scalar() == 0


@pytest.mark.parametrize(
    "url",
    [
        "",
        "ftp://x/",
        "file:///etc/passwd",
        "javascript:alert(1)",
        "https://",
        "http:///x",
        "https://u:p@x/",
        "https://x/#a",
        "http://x:99999/",
        "http://[::1",
        "http://a b/",
        "https://x/\r\nHost: y",
        "https://" + "x" * 2000,
    ],
)
def test_an_address_that_is_none_is_refused(site: Site, url: str) -> None:
    with pytest.raises(InvalidRequest, match="Nothing was changed"):
        site.add(url=url or " ")
    assert site.appliance.store.webhooks.list() == []


@pytest.mark.parametrize(("name", "event"), [("Desk!", "operation.failed"), ("desk", "operation.painted"), ("taken", "operation.failed")])
def test_a_wrong_name_or_event_is_refused(site: Site, name: str, event: str) -> None:
    site.add(name="taken")
    with pytest.raises(InvalidRequest, match="Nothing was changed"):
        site.add(event, name=name)


def test_old_messages_are_forgotten_but_none_that_waits(site: Site) -> None:
    site.add("operation.queued")
    run_operation(site.appliance)
    site.delivering.look()
    try_webhook(site.appliance, "desk", requested_by="Alice", now=site.moment)
    site.appliance.store.webhooks.forget_old(site.moment + timedelta(days=29))
    assert len(site.statuses()) == 2
    site.appliance.store.webhooks.forget_old(site.moment + timedelta(days=31))
    assert site.statuses() == []


def test_the_command_line_does_the_same(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("APPLIANCE_CONFIG", "/nonexistent")
    monkeypatch.setenv("APPLIANCE_HOME", str(site.appliance.settings.home))

    def told(*argv: str) -> str:
        return CliRunner().invoke(app, ["webhook", *argv], catch_exceptions=False).stdout

    secret = told("add", "desk", f"http://{site.hook.address}/in", "--event", "operation.failed").strip()
    assert (secret.startswith("whsec_"), secret in told("list", "--json")) == (True, False)
    assert "The test arrived" in told("test", "desk")
    (sent,) = json.loads(told("deliveries", "desk", "--json"))
    assert (sent["type"], sent["status"]) == ("webhook.test", "delivered")
    assert told("secret", "desk").strip() not in {"", secret}
    assert "was removed" in told("remove", "desk")
    site.hook.status = 500
    told("add", "desk", f"http://{site.hook.address}/in")
    assert CliRunner().invoke(app, ["webhook", "test", "desk"]).exit_code == 1
