"""A live log that is written as a worker writes it, by a process of its own, and read by viewers over HTTP."""

import asyncio
import os
import re
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import NoReturn

import httpx
import psutil

from appliance.domain.operation import OperationStatus
from appliance.web.sessions import SESSION_COOKIE
from appliance.wiring import Appliance
from benchmarks.figure import MeasureFailed, Say
from benchmarks.many import on_one_core
from tests.support.operating import make_appliance
from tests.support.web_world import add_people, add_sales, end_operation, run_operation

WRITES_PER_SECOND = 20
PATIENCE_SECONDS = 120
LINE = re.compile(r">live (\d+) ")


@dataclass(frozen=True, kw_only=True)
class Read:
    """What one viewer got, in its order, and when the last line was there (monotonic)."""

    numbers: list[int]
    last_at: float


@dataclass(frozen=True, kw_only=True)
class Streamed:
    """Seconds from the writing of the last line until the slowest viewer had it; how long it was written; what the panel took."""

    behind_seconds: float
    wrote_seconds: float
    busy_percent: float
    resident_mb: float


def streamed(viewers: int, lines: int, seconds: float, say: Say) -> Streamed:
    """Write so many lines in that time while they look. Raises MeasureFailed when one of them misses a line or gets one twice."""
    in_memory = Path("/dev/shm")  # noqa: S108 - the disk is not what is measured
    with tempfile.TemporaryDirectory(prefix="benchmark-live-", dir=in_memory if in_memory.is_dir() else None) as place:
        appliance = make_appliance(Path(place))
        add_people(appliance)
        add_sales(appliance)
        operation = run_operation(appliance, now=datetime.now(UTC))
        token, _ = appliance.store.access.open_session("Victor", now=datetime.now(UTC))
        with on_one_core(appliance) as panel:
            process = psutil.Process(panel.process.pid if panel.process else None)
            before, began = sum(process.cpu_times()[:2]), time.monotonic()
            address = f"{panel.url}/operations/{operation.id}/stream?after=1"
            found = asyncio.run(_watch(address, token, viewers, lambda: start_writer(appliance, operation.id, lines, seconds)))
            busy = (sum(process.cpu_times()[:2]) - before) / (time.monotonic() - began) * 100
            resident = process.memory_info().rss / 1e6
    wrote = found.pop()
    for one in found:
        if one.numbers != list(range(lines)):
            raise MeasureFailed(f"A viewer got {len(one.numbers):,} lines, {len(set(one.numbers)):,} of them different, of {lines:,}.")
    behind = max(one.last_at for one in found) - wrote.last_at
    say(f"{viewers} viewers had {lines:,} lines each, the slowest {behind:.2f} s after the last was written; {busy:.0f} % of a core")
    return Streamed(behind_seconds=max(behind, 0.0), wrote_seconds=wrote.numbers[0] / 1000, busy_percent=busy, resident_mb=resident)


async def _watch(address: str, token: str, viewers: int, write: Callable[[], tuple[int, int]]) -> list[Read]:
    """Every viewer is there before the first line is written; the last of what is given is the writer's: milliseconds, and the end."""
    limits, timeout = httpx.Limits(max_connections=viewers), httpx.Timeout(PATIENCE_SECONDS)
    async with httpx.AsyncClient(limits=limits, timeout=timeout, cookies={SESSION_COOKIE: token}) as client:
        connected = asyncio.Semaphore(0)
        tasks = [asyncio.create_task(_view(client, address, connected)) for _ in range(viewers)]
        for _ in range(viewers):
            await asyncio.wait_for(connected.acquire(), PATIENCE_SECONDS)
        pid, told = write()
        found = list(await asyncio.gather(*tasks))
        milliseconds, ended_at = os.read(told, 64).decode().split()
        os.waitpid(pid, 0)
        os.close(told)
    return [*found, Read(numbers=[int(milliseconds)], last_at=float(ended_at))]


async def _view(client: httpx.AsyncClient, address: str, connected: asyncio.Semaphore) -> Read:
    numbers: list[int] = []
    last_at = 0.0
    async with client.stream("GET", address) as answer:
        if answer.status_code != httpx.codes.OK:
            raise MeasureFailed(f"The panel answered a viewer with {answer.status_code}.")
        connected.release()
        async for line in answer.aiter_lines():
            if got := LINE.findall(line):
                numbers += map(int, got)
                last_at = time.monotonic()
    return Read(numbers=numbers, last_at=last_at)


def start_writer(appliance: Appliance, operation_id: int, lines: int, seconds: float) -> tuple[int, int]:
    """Its process, and where it tells how long it took, in milliseconds, and when it ended."""
    reading, writing = os.pipe()
    pid = os.fork()
    if pid == 0:
        _write(appliance, operation_id, lines, seconds, writing)
    os.close(writing)
    return pid, reading


def _write(appliance: Appliance, operation_id: int, lines: int, seconds: float, told: int) -> NoReturn:
    began, batches = time.monotonic(), max(1, int(seconds * WRITES_PER_SECOND))
    try:
        for batch in range(batches):
            numbers = range(lines * batch // batches, lines * (batch + 1) // batches)
            text = "\n".join(f"live {number} of a long log: TASK [release : Build the release] ok" for number in numbers)
            appliance.store.logs.add(operation_id, text, step="build", now=datetime.now(UTC))
            time.sleep(max(0.0, began + (batch + 1) / WRITES_PER_SECOND - time.monotonic()))
        ended = time.monotonic()
        end_operation(appliance, operation_id, OperationStatus.SUCCEEDED, now=datetime.now(UTC))
        os.write(told, f"{int((ended - began) * 1000)} {ended}".encode())
    finally:
        os._exit(0)
