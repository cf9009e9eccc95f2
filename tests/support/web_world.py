"""The world of the panel's tests: Alice is an administrator, Oscar an operator, Victor a viewer; Mallory is nobody.

They look after one CRM, `sales`, which serves and has two recovery points, and a prepared host, `web1`, that nothing is on.
"""

import asyncio
import functools
import shutil
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

from argon2 import PasswordHasher
from httpx import ASGITransport, BaseTransport, Client, Request, Response
from starlette.types import ASGIApp

from appliance.domain.host import Host, HostState
from appliance.domain.instance import Deployment, Instance, InstanceState, RecoveryPoint
from appliance.domain.operation import Operation, OperationStatus, StepStatus
from appliance.hosts.log_in_keys import make_key
from appliance.operations.machines import KEY_SECRET
from appliance.web.app import create_app
from appliance.web.sessions import SESSION_COOKIE
from appliance.wiring import Appliance
from tests.support.operating import make_appliance

NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)
PASSWORD = "correct horse battery"
HOST_KEY = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIOMqqnkVzrm0SdG6UOoqKLsabgH5C9okWi0dh2l9GKJl"
GIB = 1024**3
FACTS = {
    "system": "Debian GNU/Linux 12 (bookworm)",
    "kernel": "6.1.0-42-amd64",
    "architecture": "x86_64",
    "hostname": "web1",
    "python": "3.11.2",
    "cpus": 2,
    "memory_bytes": 4 * GIB,
    "disks": {"/": {"total_bytes": 100 * GIB, "free_bytes": 70 * GIB}, "/var": {"total_bytes": 50 * GIB, "free_bytes": 20 * GIB}},
    "root": True,
    "reboot_required": False,
    "security_updates": 3,
    "tools": "0" * 64,
}
ROLES = {"Alice": "administrator", "Oscar": "operator", "Victor": "viewer"}
STEPS = (("preflight", "Check before anything is changed"), ("build", "Build the release"), ("switch", "Switch over"))


@functools.cache
def hashed_password() -> str:
    """Hashed once and cheaply; the panel's own hashes take their time on purpose."""
    return PasswordHasher(time_cost=1, memory_cost=64, parallelism=1).hash(PASSWORD)


@dataclass(frozen=True, kw_only=True)
class PanelTransport(BaseTransport):
    """Calls the panel without a network; an answer is read to its end."""

    app: ASGIApp

    def handle_request(self, request: Request) -> Response:
        """One request in an event loop of its own."""
        return asyncio.run(self._answer(request))

    async def _answer(self, request: Request) -> Response:
        body = request.read()
        async with ASGITransport(self.app, raise_app_exceptions=False) as transport:
            answer = await transport.handle_async_request(Request(request.method, request.url, headers=request.headers, content=body))
            content = b"".join([part async for part in answer.aiter_raw()])
            return Response(answer.status_code, headers=answer.headers.raw, content=content)


def client_of(app: ASGIApp, headers: Mapping[str, str] | None = None) -> Client:
    """A client of the panel that keeps cookies."""
    return Client(transport=PanelTransport(app=app), base_url="http://panel", headers=headers)


@dataclass(kw_only=True)
class Browser:
    """Somebody's browser on the panel; `csrf` is what the forms of its session carry."""

    client: Client
    csrf: str = ""
    answer: Response = field(default_factory=lambda: Response(204))

    def get(self, address: str, **headers: str) -> Response:
        """Open a page, without following where it sends."""
        return self.client.get(address, headers=headers, follow_redirects=False)

    def post(self, address: str, fields: Mapping[str, str] | None = None) -> Response:
        """Send a form of this session."""
        return self.client.post(address, data={"csrf": self.csrf, **(fields or {})}, follow_redirects=False)


@dataclass(kw_only=True)
class PanelWorld:
    """The panel over a real store, at a moment that the test moves."""

    appliance: Appliance
    moment: datetime = NOON

    def __post_init__(self) -> None:
        self.app = create_app(self.appliance, clock=lambda: self.moment)
        self._pristine = self.appliance.settings.database_file.with_suffix(".pristine")
        self.keep_as_it_is()

    def keep_as_it_is(self) -> None:
        """Have later resets lead to what is there now."""
        with self.appliance.store.database.engine.connect() as connection:
            connection.exec_driver_sql("PRAGMA wal_checkpoint(TRUNCATE)")
        shutil.copy(self.appliance.settings.database_file, self._pristine)

    def reset(self) -> None:
        """As it was at the beginning, and faster than a new one: nobody holds the store's file open between requests."""
        self.moment = NOON
        self.app.state.panel.tails.forget()
        for end in ("-wal", "-shm"):
            self.appliance.settings.database_file.with_name(f"{self.appliance.settings.database_file.name}{end}").unlink(missing_ok=True)
        shutil.copy(self._pristine, self.appliance.settings.database_file)
        shutil.rmtree(self.appliance.settings.ledger_file.parent, ignore_errors=True)

    def browser_of(self, name: str) -> Browser:
        """A browser in which somebody is logged in; Mallory's is not."""
        browser = Browser(client=client_of(self.app))
        if name in ROLES:
            token, session = self.appliance.store.access.open_session(name, now=self.moment)
            browser.client.cookies.set(SESSION_COOKIE, token)
            browser.csrf = session.csrf
        return browser

    def program_of(self, name: str) -> Client:
        """A program that carries somebody's bearer token."""
        token = self.appliance.store.tokens.issue(name=f"token of {name}", user=name, by="root", now=self.moment)
        return client_of(self.app, {"Authorization": f"Bearer {token}"})

    def operations(self) -> list[Operation]:
        """Everything that was requested, newest first."""
        return self.appliance.store.operations.list()


def make_world(directory: Path) -> PanelWorld:
    """The world with its people and its CRM."""
    appliance = make_appliance(directory)
    add_people(appliance)
    add_sales(appliance)
    add_web1(appliance)
    return PanelWorld(appliance=appliance)


def add_people(appliance: Appliance) -> None:
    """Alice, Oscar and Victor."""
    for name, role in ROLES.items():
        appliance.store.access.put_user(name=name, password_hash=hashed_password(), role=role, must_change=False, now=NOON)


def add_web1(appliance: Appliance, *, state: HostState = HostState.READY, port: int = 1) -> None:
    """A host that was seen once and does not answer: nobody listens on the lowest ports of the loopback address."""
    host = Host(name="web1", address="127.0.0.1", port=port, user="admin", host_key=HOST_KEY, state=state, created_at=NOON)
    appliance.store.hosts.add(replace(host, facts=FACTS, seen_at=NOON - timedelta(hours=2)))
    appliance.store.vault.put(host.subject, KEY_SECRET, make_key())


def add_sales(appliance: Appliance, *, name: str = "sales", slot: int = 0, host: str = "localhost") -> None:
    """A CRM that serves, could be rolled back, and has a proven and an unproven recovery point."""
    store = appliance.store
    product = appliance.catalogue.list()[0].definition
    release = next(one for one in product.releases if one.version == "2.7.13")
    store.instances.add(
        Instance(
            name=name,
            product=product.id,
            release=release.version,
            series=release.series,
            state=InstanceState.ACTIVE,
            slot=slot,
            host=host,
            address="127.0.0.1",
            port=8480 + slot,
            domain="crm.example",
            created_at=NOON - timedelta(days=9),
            settings={"language": "en"},
        )
    )
    store.instances.serve(name, deployment("2.7.13", "2.7"), previous=deployment("2.7.12", "2.7"))
    for number in (1, 2):
        record = {"product": product.id, "release": release.version, "bytes_processed": 4_200_000}
        store.points.add(
            RecoveryPoint(id=f"{name}-{number}", instance=name, at=NOON - timedelta(hours=9 - number), repository="local", record=record)
        )
    store.points.prove(f"{name}-1", at=NOON - timedelta(hours=1), proof={})


def deployment(version: str, series: str) -> Deployment:
    """A deployment that is only remembered."""
    return Deployment(
        id=f"0001-{version}",
        version=version,
        series=series,
        build="b",
        directory="/d",
        release_directory="/r",
        files="/f",
        database="crm",
        port=20000,
    )


def run_operation(appliance: Appliance, *, instance: str = "sales", kind: str = "upgrade", now: datetime = NOON) -> Operation:
    """Record an operation and let it begin, as the worker would."""
    journal = appliance.store.operations
    operation = journal.record(kind=kind, instance=instance, parameters={}, steps=STEPS, requested_by="Alice", now=now)
    journal.claim(now=now)
    journal.begin_step(operation.id, "preflight", now=now)
    appliance.store.logs.add(operation.id, "looking at the disk", step="preflight", now=now)
    return journal.get(operation.id)


def end_operation(
    appliance: Appliance, operation_id: int, status: OperationStatus, *, now: datetime = NOON, cause: str | None = None
) -> None:
    """Bring it to an end, as the worker would."""
    journal = appliance.store.operations
    for name, _ in STEPS:
        journal.begin_step(operation_id, name, now=now)
        journal.end_step(operation_id, name, StepStatus.SUCCEEDED, now=now)
    journal.finish(operation_id, status, now=now, cause=cause)
