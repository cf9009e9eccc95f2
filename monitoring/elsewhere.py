"""Probes that only the CRM's own host can carry out: handed to `python -m monitoring probe` there by a command given in the targets."""

import asyncio
import json
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from monitoring.children import see_off
from monitoring.probes import CheckedProbe, ProbeBase

WAY_SECONDS = 20.0
"""What the way there may take on top of the slowest probe."""


@dataclass(frozen=True, kw_only=True)
class Answer:
    """What the host found: each probe's result, and whether the flag file is there."""

    checked: tuple[CheckedProbe, ...]
    flag: bool


async def ask_elsewhere(through: Sequence[str], probes: Sequence[ProbeBase], flag: Path | None) -> Answer | None:
    """Let the host carry probes out and look for a flag file. None when nothing was learned: then neither is known."""
    request = {"probes": [probe.model_dump(mode="json") for probe in probes], "flag": None if flag is None else str(flag)}
    patience_seconds = max((probe.timeout_seconds for probe in probes), default=0) + WAY_SECONDS
    pipe = asyncio.subprocess.PIPE
    process = await asyncio.create_subprocess_exec(*through, stdin=pipe, stdout=pipe, stderr=asyncio.subprocess.DEVNULL)
    try:
        async with asyncio.timeout(patience_seconds):
            answer, _ = await process.communicate(json.dumps(request).encode())
        found = json.loads(answer)
        return Answer(checked=tuple(CheckedProbe(**result) for result in found["results"]), flag=bool(found.get("flag", False)))
    except (TimeoutError, OSError, ValueError, KeyError, TypeError):
        return None
    finally:
        with suppress(ProcessLookupError):
            process.kill()
        await see_off(process)
