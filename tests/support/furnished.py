"""An appliance in which no page is empty: for looking at every page, by eye and by axe."""

from dataclasses import replace
from datetime import datetime, timedelta

from appliance.domain.channel import Channel, Purpose
from appliance.domain.closure import Closure
from appliance.domain.instance import RecoveryPoint
from appliance.domain.login_provider import LoginProvider
from appliance.domain.operation import OperationStatus
from appliance.domain.passkey import Passkey
from appliance.domain.pending import Pending, PendingPackage, PendingRelease, Way
from appliance.domain.repository import Repository
from appliance.domain.second_factor import make_recovery_codes
from appliance.domain.snooze import Snooze
from appliance.domain.tls import Tls, TlsMode
from appliance.wiring import Appliance
from monitoring.ledger import State
from tests.support.long_life import a_month_of_probes, a_month_of_work, fire, three_months, three_weeks
from tests.support.seen_states import each_quarter_minute, write_states
from tests.support.web_world import GIB, add_sales, add_web1, end_operation, run_operation

REST = "rest:https://nas.example.org:8000/crm/"
DAY = timedelta(days=1)
TEXT = """PLAY [release] ******************************************
TASK [release : Build the release] **********************
\x1b[33mchanged: [localhost]\x1b[0m
fatal: [localhost]: no space left on device"""


def furnish(appliance: Appliance, now: datetime) -> None:
    """A long life, three CRMs in different states, and something of everything that people set up."""
    three_months(appliance, now, a_month_of_probes(now))
    three_weeks(appliance, now)
    a_month_of_work(appliance, now)
    fire(appliance, now)
    add_web1(appliance)
    add_sales(appliance, name="support", slot=1)
    add_sales(appliance, name="field-sales-emea", slot=2, host="web1")
    for name, state in (("support", State.UP), ("field-sales-emea", State.MAINTENANCE)):
        write_states(appliance.settings.ledger_file, name, each_quarter_minute(now, state), believed=DAY)
        for number, hours in enumerate((9, 33)):
            record = {"product": "creme", "release": "2.7.13", "bytes_processed": 42_000_000, "bytes_added": 900_000}
            point = RecoveryPoint(
                id=f"{name}-new-{number}", instance=name, at=now - timedelta(hours=hours), repository="local", record=record
            )
            appliance.store.points.add(point)
    _places(appliance, now)
    _people(appliance, now)
    _pending(appliance, now)
    _told(appliance, now)
    failed = run_operation(appliance, instance="support", now=now - timedelta(hours=2))
    appliance.store.logs.add(failed.id, TEXT, step="build", now=now)
    end_operation(appliance, failed.id, OperationStatus.FAILED, now=now - timedelta(hours=1), cause="The disk is full.")
    run_operation(appliance, now=now)


def _places(appliance: Appliance, now: datetime) -> None:
    store = appliance.store
    store.instances.publish("sales", wanted=True, by="Alice", now=now)
    store.instances.protect("sales", Tls(mode=TlsMode.PRIVATE_CA, issued_at=now - 20 * DAY, not_after=now + 40 * DAY))
    store.instances.close("field-sales-emea", Closure(message="We move to a new server. Back at noon.", by="Oscar", at=now))
    store.repositories.add(Repository(name="sales", location=REST, created_at=now - 30 * DAY), by="Alice")
    store.vault.put("repository:sales", "credential-RESTIC_REST_PASSWORD", "only for looking")
    gone = RecoveryPoint(id="gone-1", instance="gone", at=now - 9 * DAY, repository="local", record={"bytes_processed": 3 * GIB})
    store.points.add(gone)


def _people(appliance: Appliance, now: datetime) -> None:
    store = appliance.store
    store.grants.add("Victor", "sales", by="Alice", now=now)
    provider = LoginProvider(
        name="Example", issuer="https://login.example.org/realms/staff", client_id="panel", roles={}, default_role="viewer"
    )
    store.login_providers.put(provider, secret="only for looking", by="Alice", now=now)
    store.login_providers.link(issuer=provider.issuer, subject="7b0f5a2e", user="Oscar", by="Alice", now=now)
    store.second_factors.turn_on("Alice", secret="JBSWY3DPEHPK3PXP", step=0, codes=make_recovery_codes(), now=now - 3 * DAY)
    for number, (user, name) in enumerate((("Alice", "laptop"), ("Oscar", "security key"))):
        key = Passkey(
            id=f"key-{number}",
            user=user,
            name=name,
            credential=bytes([number]),
            public_key=b"",
            handle=user.encode(),
            sign_count=0,
            created_at=now - 2 * DAY,
            last_used_at=None,
        )
        store.passkeys.add(key, codes=make_recovery_codes(), challenge=f"challenge-{number}", expires_at=now + DAY)


def _pending(appliance: Appliance, now: datetime) -> None:
    release = PendingRelease(version="2.7.14", way=Way.PATCH, installable=True, published_at=now - 4 * DAY)
    series = PendingRelease(version="2.8.6", way=Way.UPGRADE, installable=True, published_at=now - 40 * DAY)
    packages = tuple(
        PendingPackage(name=name, installed="3.0.15-1", candidate="3.0.17-1", origin="Debian-Security:12", security=True)
        for name in ("libssl3", "openssl", "openssh-server")
    )
    found = Pending(subject="sales", asked_at=now - timedelta(minutes=40), installed="2.7.13", releases=(release, series))
    appliance.store.pending.put(found)
    appliance.store.pending.put(replace(found, subject="support", problems=("The package index did not answer within 30 s.",), releases=()))
    host = Pending(subject="host:web1", asked_at=now, packages=packages, reboot_required=True, listed_at=now, restarts=("nginx",))
    appliance.store.pending.put(host)


def _told(appliance: Appliance, now: datetime) -> None:
    store = appliance.store
    store.channels.add(Channel(name="ops", purpose=Purpose.ALERTS, service="E-mail", created_at=now - 30 * DAY, told={}), by="Alice")
    store.channels.add(Channel(name="outside", purpose=Purpose.HEARTBEAT, service="JSON", created_at=now - 30 * DAY, told={}), by="Alice")
    store.channels.note_failed("outside", "answered 503", now=now)
    store.webhooks.add("desk", "https://desk.example.org/hooks/crm-appliance", (), by="Alice", now=now)
    for problem in ("", "answered 503 instead of 2xx"):
        test = store.webhooks.queue_test("desk", by="Alice", now=now)
        store.webhooks.note(test.id, problem, now=now)
    store.notices.add("sales", "The provider had an outage. All is well again.", by="Alice", now=now)
    store.snoozes.put(Snooze(key="support.old-proof", until=now + DAY, by="Oscar", at=now), subject="support")
