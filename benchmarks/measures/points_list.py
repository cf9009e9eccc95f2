"""How long the panel takes to list ten thousand recovery points."""

import asyncio
import tempfile
import time
from datetime import UTC, datetime, timedelta
from http import HTTPStatus
from pathlib import Path
from statistics import median

from fastapi import FastAPI
from httpx import ASGITransport, AsyncClient

from appliance.config import Settings
from appliance.domain.instance import Instance, InstanceState, RecoveryPoint
from appliance.web.app import create_app
from appliance.web.sessions import SESSION_COOKIE
from appliance.wiring import Appliance, open_appliance
from benchmarks.figure import Measure, MeasureFailed, Say, Taken

POINTS, CRMS = 10_000, 10
LONGEST_MILLISECONDS = 1000.0
"""What a person waits for without wondering: the reference is this figure, not another program."""
PAGE = "/backups"
PERSON = "Alice"


def take(rounds: int, say: Say) -> Taken:
    """Open the page so often, after a first time."""
    with tempfile.TemporaryDirectory(prefix="benchmark-points-") as place:
        appliance, now = _appliance(Path(place)), datetime.now(UTC)
        _fill(appliance, now)
        waits = asyncio.run(_opened(create_app(appliance, clock=lambda: now), _session(appliance, now), rounds + 1))
    say(f"the first took {waits[0][0]:.0f} ms, the others {', '.join(f'{wait:.0f}' for wait, _ in waits[1:])} ms")
    note = (
        f"Median of {rounds} answers of the panel to GET {PAGE} with {POINTS:,} recovery points of {CRMS} CRMs, "
        f"{waits[0][1] / 1024**2:.1f} MiB of page; by the panel's application without a network. "
        "The reference is the longest wait that is wanted."
    )
    return Taken(ours=median(wait for wait, _ in waits[1:]), reference=LONGEST_MILLISECONDS, note=note)


def _appliance(place: Path) -> Appliance:
    return open_appliance(Settings(**{name: place / name for name in ("home", "etc", "run", "log", "cache", "crm_root")}))


def _session(appliance: Appliance, now: datetime) -> str:
    access = appliance.store.access
    access.put_user(name=PERSON, password_hash="none", role="administrator", must_change=False, now=now)  # noqa: S106 - nobody logs in with it
    token, _ = access.open_session(PERSON, now=now)
    return token


def _fill(appliance: Appliance, now: datetime) -> None:
    product = appliance.catalogue.list()[0].definition
    release = product.releases[0]
    record = {"product": product.id, "release": release.version, "bytes_processed": 3 * 10**9, "bytes_added": 10**7}
    record |= {"snapshots": {"database": "a", "files": "b"}, "counts": {"contacts": 1000}}
    for slot in range(CRMS):
        instance = Instance(
            name=f"crm-{slot}",
            product=product.id,
            release=release.version,
            series=release.series,
            state=InstanceState.ACTIVE,
            slot=slot,
            host="localhost",
            address="127.0.0.1",
            port=8480 + slot,
            domain="crm.example",
            created_at=now,
            settings={},
        )
        appliance.store.instances.add(instance)
        for number in range(POINTS // CRMS):
            at = now - timedelta(hours=number)
            appliance.store.points.add(
                RecoveryPoint(id=f"{instance.name}-{number}", instance=instance.name, at=at, repository="local", record=record)
            )


async def _opened(app: FastAPI, token: str, rounds: int) -> list[tuple[float, int]]:
    """Milliseconds and bytes of each answer."""
    waits = []
    async with AsyncClient(transport=ASGITransport(app), base_url="http://panel", cookies={SESSION_COOKIE: token}) as client:
        for _ in range(rounds):
            began = time.monotonic()
            answer = await client.get(PAGE)
            waits.append(((time.monotonic() - began) * 1000, len(answer.content)))
            if answer.status_code != HTTPStatus.OK or f"crm-{CRMS - 1}" not in answer.text:
                raise MeasureFailed(f"The panel answered with {answer.status_code}.")
    return waits


MEASURE = Measure(
    name="points_list",
    title="the page of 10,000 recovery points, against the longest wait that is wanted",
    unit="ms",
    goal=1.0,
    rounds=5,
    take=take,
)
