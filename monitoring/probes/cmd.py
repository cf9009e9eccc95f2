"""Runs one program and looks at its exit code and, if wanted, at what it prints."""

import asyncio
import os
import pwd
import re
import signal
from contextlib import suppress
from pathlib import PurePath
from typing import Any, Literal

from pydantic import Field

from monitoring.children import see_off
from monitoring.probes.base import Pattern, ProbeBase, Result, healthy, unhealthy

OUTPUT_LIMIT_BYTES = 1024 * 1024
SYSTEM_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"


class Probe(ProbeBase):
    """A program, started without a shell in a fresh environment, as `user` if given (which needs root)."""

    kind: Literal["cmd"]
    argv: list[str] = Field(min_length=1, repr=False)
    user: str | None = None
    environment: dict[str, str] = Field(default_factory=dict, repr=False)
    stdin: str | None = Field(default=None, repr=False)
    match: Pattern | None = None


async def check(probe: Probe) -> Result:
    """Healthy when the program ends with 0 and prints the pattern. It and its children are gone afterwards, also after a timeout."""
    program = PurePath(probe.argv[0]).name
    try:
        process = await asyncio.create_subprocess_exec(
            *probe.argv,
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.DEVNULL,
            env={"PATH": SYSTEM_PATH, "LANG": "C.UTF-8"} | probe.environment,
            start_new_session=True,
            **_identity(probe.user),
        )
    except (OSError, KeyError):
        return unhealthy(f"{program} could not be started")
    try:
        output = await _talk(process, probe.stdin)
        code = await process.wait()
    finally:
        _end_group(process.pid)
        await see_off(process)
    return _judge(probe, program, code, output)


def _judge(probe: Probe, program: str, code: int, output: str) -> Result:
    if code != 0:
        return unhealthy(f"{program} ended with {code}")
    if probe.match and not re.search(probe.match, output):
        return unhealthy(f"{program} ended well, but did not print the expected text")
    return healthy(f"{program} ended well")


async def _talk(process: asyncio.subprocess.Process, text: str | None) -> str:
    """What the program prints, up to the limit; a program that prints more is stopped."""
    if process.stdin is None or process.stdout is None:
        return ""
    with suppress(ConnectionError):
        process.stdin.write((text or "").encode())
        await process.stdin.drain()
    process.stdin.close()
    output = bytearray()
    while block := await process.stdout.read(65536):
        output += block
        if len(output) > OUTPUT_LIMIT_BYTES:
            _end_group(process.pid)
            break
    return output.decode(errors="replace")


def _end_group(leader: int) -> None:
    with suppress(ProcessLookupError):
        os.killpg(leader, signal.SIGKILL)


def _identity(user: str | None) -> dict[str, Any]:
    if user is None:
        return {}
    entry = pwd.getpwnam(user)
    return {"user": entry.pw_uid, "group": entry.pw_gid, "extra_groups": []}
