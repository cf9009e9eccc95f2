"""Notifications: by real mail and web servers, each change once, none lost."""

import logging
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, time, timedelta
from pathlib import Path
from threading import Event, Thread

import pytest

from appliance.domain.channel import Purpose, QuietHours
from appliance.errors import InvalidRequest, NotFound
from appliance.operations.channels import add_channel, remove_channel
from appliance.operations.channels import test_channel as try_channel
from appliance.operations.notifying import Notifying
from appliance.operations.sending import NotSent, send
from appliance.operations.stack.kept import forget_stack, keep_stack
from appliance.wiring import Appliance
from monitoring.ledger import Ledger
from monitoring.rules.memory import RuleMemory
from monitoring.rules.series import Labels
from monitoring.rules.standing import Alert, Change, Stand
from tests.support.operating import make_appliance
from tests.support.receivers import Hook, free_port, mail_server, web_server

SECRET_OF_ANOTHER = "token-of-another-channel"
NOON = datetime(2026, 11, 21, 12, tzinfo=UTC)
DEMO: Labels = (("crm", "demo"),)


@dataclass
class Site:
    """An appliance whose alerts change when the test says so."""

    appliance: Appliance
    now: datetime = NOON
    notifying: Notifying = field(init=False)

    def __post_init__(self) -> None:
        self.notifying = Notifying(appliance=self.appliance, now=lambda: self.now)

    def add(
        self, url: str, name: str = "ops", *, severities: tuple[str, ...] = (), quiet: str = "", purpose: Purpose = Purpose.ALERTS
    ) -> None:
        chosen = {"severities": severities, "quiet": quiet, "purpose": purpose}
        add_channel(self.appliance, name=name, url=url, requested_by="Alice", now=self.now, **chosen)  # type: ignore[arg-type]

    def change(self, *changes: tuple[str, Labels, bool]) -> None:
        """One evaluation with these changes."""
        memory = RuleMemory(self.appliance.settings.ledger_file)
        at = self.now.timestamp()
        told = [
            Change(alert=Alert(rule=rule, labels=labels, stand=Stand.FIRING, since_ms=0, since=at, value=1), fires=fires)
            for rule, labels, fires in changes
        ]
        memory.write([change.alert for change in told if change.fires], told, at=at)
        memory.close()

    def look(self, after_seconds: float = 5) -> None:
        self.now += timedelta(seconds=after_seconds)
        self.notifying.look()


@pytest.fixture
def site(tmp_path: Path) -> Site:
    made = make_appliance(tmp_path)
    made.settings.ledger_file.parent.mkdir(parents=True, exist_ok=True)
    return Site(made)


@pytest.fixture
def hook() -> Iterator[Hook]:
    with web_server() as made:
        yield made


def test_a_mail_says_what_fires_and_another_what_is_over(site: Site) -> None:
    with mail_server() as (url, mailbox):
        site.add(url)
        site.change(("CrmDown", DEMO, True), ("BackupMissing", DEMO, True))
        site.look()
        site.look()
        site.change(("CrmDown", DEMO, False))
        site.look()
    first, second = mailbox.texts()
    assert first.startswith("[critical] demo is down (and 1 more)\n")
    assert "demo has no backup of late" in first
    assert "docs/runbooks/alerts.md#crmdown" in first
    assert second.startswith("[over] demo is down\n")
    assert str(mailbox.mails[0]["to"]) == "ops@example.org"


def test_a_webhook_is_told_the_same(site: Site, hook: Hook) -> None:
    site.add(f"json://{hook.address}/alerts")
    site.change(("CrmDown", DEMO, True))
    site.look()
    site.change(("CrmDown", DEMO, False))
    site.look()
    assert hook.titles() == ["[critical] demo is down", "[over] demo is down"]
    assert [(path, body["type"]) for path, body in hook.requests] == [("/alerts", "failure"), ("/alerts", "success")]


def test_what_cannot_be_told_is_kept_and_tried_again_ever_later(site: Site, hook: Hook, capsys: pytest.CaptureFixture[str]) -> None:
    hook.status = 500
    site.add(f"json://user:no-secret-of-anybody@{hook.address}/a-path-that-is-secret")
    site.change(("CrmDown", DEMO, True))
    attempts = []
    for _ in range(40):
        site.look(5)
        attempts.append(len(hook.requests))
    assert attempts[-1] == 3  # at once, after half a minute, a minute and, not yet, two minutes
    site.change(("CrmDown", DEMO, False))
    hook.status = 200
    site.look(120)
    assert hook.titles()[-1] == "[came and went] demo is down"
    channel = site.appliance.store.channels.get("ops")
    assert (channel.failures, channel.failed, channel.sent, channel.note) == (0, 3, 1, "2 told")
    said = capsys.readouterr().err
    assert "The channel ops could not be told" in said
    assert "secret" not in said


def test_a_process_that_dies_before_it_could_write_it_down_tells_it_again(site: Site, hook: Hook, monkeypatch: pytest.MonkeyPatch) -> None:
    site.add(f"json://{hook.address}/")
    site.change(("CrmDown", DEMO, True))

    def die(*_: object, **__: object) -> None:
        raise SystemExit

    with monkeypatch.context() as killed:
        killed.setattr("appliance.store.channels.Channels.note_sent", die)
        with pytest.raises(SystemExit):
            site.look()
    site.look()
    site.look()
    assert hook.titles() == ["[critical] demo is down"] * 2


def test_in_quiet_hours_only_what_is_critical_is_told_and_the_rest_at_their_end(site: Site, hook: Hook) -> None:
    site.add(f"json://{hook.address}/", quiet="11:00-13:00")
    site.change(("MonitorGap", (("window", "1d"),), True), ("RtoExceeded", DEMO, True))
    site.change(("CrmDown", DEMO, True))
    site.look()
    assert hook.titles() == ["[critical] demo is down"]
    site.change(("RtoExceeded", DEMO, False))
    site.look(3600)
    last = hook.requests[-1][1]
    assert last["title"] == "[warning] The CRMs were not watched all of the time (and 1 more)"
    assert "Came and went:\n- Bringing demo back takes longer than promised" in last["message"]


def test_a_channel_is_told_of_its_severities_and_its_crms_only(site: Site, hook: Hook) -> None:
    site.add(f"json://{hook.address}/all")
    site.add(f"json://{hook.address}/critical", "critical", severities=("critical",))
    site.change(("RtoExceeded", DEMO, True))
    site.look()
    site.change(("CrmDown", DEMO, True))
    site.look()
    assert sorted(path for path, _ in hook.requests) == ["/all", "/all", "/critical"]


def test_a_ledger_that_was_begun_anew_is_told_from_its_beginning(site: Site, hook: Hook) -> None:
    for _ in range(3):
        site.change(("CrmDown", DEMO, True))
    site.add(f"json://{hook.address}/")
    site.appliance.settings.ledger_file.unlink()
    site.change(("BackupMissing", DEMO, True))
    site.look()
    assert hook.titles() == ["[critical] demo has no backup of late"]


def test_the_heartbeat_goes_out_each_minute_for_as_long_as_rules_are_evaluated(site: Site, hook: Hook) -> None:
    site.add(f"http://{hook.address}/ping/secret", "outside", purpose=Purpose.HEARTBEAT)
    site.look()
    assert hook.requests == []
    site.change()
    for _ in range(12 * 10):
        site.look(5)
    assert {path for path, _ in hook.requests} == {"/ping/secret"}
    assert len(hook.requests) == 5
    channel = site.appliance.store.channels.get("outside")
    assert (channel.service, channel.failures) == ("127.0.0.1", 0)


def test_a_heartbeat_that_prometheus_has_for_its_own_hears_nothing_from_the_appliance(site: Site, hook: Hook) -> None:
    site.add(f"http://{hook.address}/ping", "outside", purpose=Purpose.HEARTBEAT)
    keep_stack(site.appliance, "web1", "outside")
    site.change()
    site.look()
    assert hook.requests == []
    forget_stack(site.appliance, "web1")
    site.look()
    assert [path for path, _ in hook.requests] == ["/ping"]


def test_how_channels_do_is_told_to_the_metrics(site: Site, hook: Hook) -> None:
    site.add(f"json://{hook.address}/")
    site.add(f"json://127.0.0.1:{free_port()}/", "gone")
    site.change(("CrmDown", DEMO, True))
    site.look()
    with Ledger(site.appliance.settings.ledger_file) as ledger:
        facts = ledger.facts()
    assert facts["channel_fails"] == {("gone", ""): 1, ("ops", ""): 0}
    assert facts["notifications"][("gone", "failed")] == facts["notifications"][("ops", "sent")] == 1


def test_a_test_gets_through_or_says_why_without_the_secret(site: Site, hook: Hook) -> None:
    site.add(f"json://user:no-secret-of-anybody@{hook.address}/")
    try_channel(site.appliance, "ops", requested_by="Alice", now=NOON)
    assert hook.titles() == ["[test] The appliance can notify you here"]
    hook.status = 401
    with pytest.raises(NotSent, match="did not get through") as refused:
        try_channel(site.appliance, "ops", requested_by="Alice", now=NOON)
    assert "no-secret-of-anybody" not in str(refused.value)


def test_a_channel_that_was_removed_leaves_no_address(site: Site, hook: Hook) -> None:
    site.add(f"json://{hook.address}/")
    remove_channel(site.appliance, "ops", requested_by="Alice", now=NOON)
    assert site.appliance.store.vault.all("channel:ops") == {}
    with pytest.raises(NotFound):
        remove_channel(site.appliance, "ops", requested_by="Alice", now=NOON)


@pytest.mark.parametrize("url", ["", "nonsense://a-secret", "a-secret", "mailto://", "syslog://", "dbus://", "http://[a-secret"])
@pytest.mark.parametrize("purpose", Purpose)
def test_an_address_that_cannot_be_is_refused_and_not_repeated(site: Site, url: str, purpose: Purpose) -> None:
    with pytest.raises(InvalidRequest, match=r"Nothing was changed\.") as refused:
        site.add(url, purpose=purpose)
    assert "a-secret" not in str(refused.value)
    assert site.appliance.store.channels.list() == []


def test_quiet_hours_reach_over_midnight_and_follow_their_time_zone() -> None:
    quiet = QuietHours(begins=time(22), ends=time(6, 30), zone="Europe/Berlin")
    hours = [datetime(2026, 7, 1, hour, 15, tzinfo=UTC) for hour in (19, 20, 3, 4, 5)]
    assert [quiet.covers(hour) for hour in hours] == [False, True, True, True, False]


def test_why_one_channel_failed_holds_nothing_of_another_that_fails_at_the_same_time() -> None:
    done = Event()

    def fail() -> None:
        while not done.is_set():
            logging.getLogger("apprise").warning("Failed to send to https://hooks.example.org/%s", SECRET_OF_ANOTHER)

    other = Thread(target=fail)
    with web_server() as hook:
        hook.status = 500
        other.start()
        try:
            with pytest.raises(NotSent) as refused:
                send(f"json://{hook.address}/", title="t", body="b", is_good=True)
        finally:
            done.set()
            other.join()
    assert "500" in str(refused.value)
    assert SECRET_OF_ANOTHER not in str(refused.value)


def test_an_address_that_is_not_understood_is_not_logged(
    site: Site, caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]
) -> None:
    for url in ("nonesuch://ops:hunter22@example.org/", "json://ops:hunter22@", "hunter22\ud800"):
        with pytest.raises(InvalidRequest, match="Nothing was changed"):
            add_channel(site.appliance, name="ops", url=url, requested_by="Alice", now=NOON)
    assert "hunter22" not in caplog.text + "".join(capfd.readouterr())
