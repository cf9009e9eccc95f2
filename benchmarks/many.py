"""The panel of an appliance with a thousand CRMs and a long life: how long each page and each list takes, on one core, over HTTP."""

import os
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache
from http import HTTPStatus
from http.client import HTTPConnection
from pathlib import Path
from statistics import median, quantiles
from urllib.parse import urlsplit

import psutil

from appliance.web.sessions import SESSION_COOKIE
from appliance.wiring import Appliance
from benchmarks.figure import MeasureFailed, Say
from monitoring.ledger import Ledger
from tests.support.doors import ADMINISTRATORS_FORMS, ADMINISTRATORS_LOOKS, API_ADMINISTRATION, API_READS, OPERATORS_FORMS, SEEN_BY_ALL
from tests.support.many_crms import GONE, REPOSITORY, Fleet, fill_store
from tests.support.many_watched import fill_ledger
from tests.support.operating import make_appliance
from tests.support.running_panel import RunningPanel, running_panel
from tests.support.web_world import add_people

PATIENCE_SECONDS = 60
WARM_UP = 3
WORST = 5
CRM, HOST = "crm-0500", "host-07"
READING_EVERYTHING = {
    "/audit/export",
    "/audit/verification",
    "/api/v1/audit/export",
    "/api/v1/audit/verification",
    "/operations/{operation_id}/log.txt",
    "/support/bundle",
    "/api/v1/support-bundle",
}
"""Downloads, and the proof of the whole audit: what they take is as long as what they read."""
NOT_THERE = {"/hosts/{name}/trust", "/api/v1/webhooks/{name}/deliveries", "/secrets/{kind}/{name}"}
"""The first asks another machine; of webhooks, and of secrets to replace, there are none."""
LONG_LIFE = "The store holds 1,000 CRMs, 100,000 operations with their steps, 1,000,000 lines of log; the ledger three months of all CRMs."
Waits = Mapping[str, Sequence[float]]


@dataclass(frozen=True, kw_only=True)
class Asked:
    """Milliseconds by address of pages and of lists of the API; the panel's memory afterwards, in MB (10^6 bytes)."""

    pages: Waits
    lists: Waits
    resident_mb: float
    own_mb: float


@cache
def measured(rounds: int, say: Say) -> Asked:
    """Ask each page and list so often, once in a process. Raises MeasureFailed."""
    fleet = Fleet()
    with a_house(fleet, say) as appliance, on_one_core(appliance) as panel:
        pages = {address: filled(address, fleet) for address in sorted(PAGES)}
        lists = {address: filled(address, fleet) for address in sorted(LISTS)}
        asked_pages = _asked(panel, pages, _cookie(appliance), rounds)
        asked_lists = _asked(panel, lists, _token(appliance), rounds)
        memory = psutil.Process(panel.process.pid if panel.process else None).memory_full_info()
    for told in (asked_pages, asked_lists):
        for address in slowest(told):
            say(f"{p95(told[address]):7.1f} ms p95, {median(told[address]):7.1f} ms p50  {address}")
    return Asked(pages=asked_pages, lists=asked_lists, resident_mb=memory.rss / 1e6, own_mb=memory.uss / 1e6)


PAGES = {*SEEN_BY_ALL, "/status", *OPERATORS_FORMS, *ADMINISTRATORS_FORMS, *ADMINISTRATORS_LOOKS} - READING_EVERYTHING - NOT_THERE
LISTS = {*API_READS, *API_ADMINISTRATION} - READING_EVERYTHING - NOT_THERE


def p95(waits: Sequence[float]) -> float:
    """All but one in twenty took no longer."""
    return quantiles(waits, n=20)[18]


def slowest(asked: Waits) -> list[str]:
    """The addresses, slowest first."""
    return sorted(asked, key=lambda address: -p95(asked[address]))


def told(asked: Waits) -> str:
    """The slowest of them, in words."""
    return ", ".join(f"{address} {median(asked[address]):.0f}/{p95(asked[address]):.0f}" for address in slowest(asked)[:WORST])


@contextmanager
def a_house(fleet: Fleet, say: Say) -> Iterator[Appliance]:
    """An appliance with so much in it; the store and the ledger are held open, as worker and monitor hold them."""
    in_memory = Path("/dev/shm")  # noqa: S108 - what is measured is reading, and all of it fits
    with tempfile.TemporaryDirectory(prefix="benchmark-many-", dir=in_memory if in_memory.is_dir() else None) as place:
        appliance, now = make_appliance(Path(place)), datetime.now(UTC)
        add_people(appliance)
        fill_store(appliance, fleet, now)
        fill_ledger(appliance.settings.ledger_file, fleet.names, now)
        size_mb = appliance.settings.database_file.stat().st_size / 1e6
        say(f"{fleet.crms:,} CRMs, {fleet.operations:,} operations, {fleet.log_lines:,} lines: {size_mb:.0f} MB")
        with appliance.store.database.kept_open(), Ledger(appliance.settings.ledger_file):
            yield appliance


@contextmanager
def on_one_core(appliance: Appliance) -> Iterator[RunningPanel]:
    """The panel as a process that has the first core for itself, as far as the machine is not used by others."""
    cores = sorted(os.sched_getaffinity(0))
    panel = running_panel(appliance)
    try:
        os.sched_setaffinity(0, cores[:1])  # what is started inherits it
        panel.start()
        os.sched_setaffinity(0, cores[1:] or cores)
        yield panel
    finally:
        os.sched_setaffinity(0, cores)
        panel.stop()


def filled(address: str, fleet: Fleet) -> str:
    """An address with names that there are."""
    parts = {"/hosts/": HOST, "/repositories/": REPOSITORY, "/backups/": GONE}
    name = next((known for part, known in parts.items() if part in address), CRM)
    return address.replace("{name}", name).replace("{operation_id}", str(fleet.running)).replace("{product}", "creme")


def _cookie(appliance: Appliance) -> dict[str, str]:
    token, _ = appliance.store.access.open_session("Alice", now=datetime.now(UTC))
    return {"Cookie": f"{SESSION_COOKIE}={token}"}


def _token(appliance: Appliance) -> dict[str, str]:
    token = appliance.store.tokens.issue(name="benchmark", user="Alice", by="root", now=datetime.now(UTC))
    return {"Authorization": f"Bearer {token}"}


def _asked(panel: RunningPanel, addresses: Mapping[str, str], headers: Mapping[str, str], rounds: int) -> Waits:
    """Each in turn, again and again, so that a moment in which the machine was busy is shared by all."""
    with closing(HTTPConnection(urlsplit(panel.url).netloc, timeout=PATIENCE_SECONDS)) as connection:
        courses = [{name: _ask(connection, address, headers) for name, address in addresses.items()} for _ in range(WARM_UP + rounds)]
    return {name: [course[name] for course in courses[WARM_UP:]] for name in addresses}


def _ask(connection: HTTPConnection, address: str, headers: Mapping[str, str]) -> float:
    """Milliseconds. Raises MeasureFailed."""
    began = time.monotonic()
    connection.request("GET", address, headers=dict(headers))
    answer = connection.getresponse()
    body = answer.read()
    if answer.status != HTTPStatus.OK:
        raise MeasureFailed(f"The panel answered {answer.status} to {address}: {body[:300]!r}")
    return (time.monotonic() - began) * 1000
