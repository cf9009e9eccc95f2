"""Run a program that speaks JSON lines, and pass on what it says while it works."""

import contextlib
import json
import os
import selectors
import subprocess
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from appliance.errors import Cancelled, CommandFailed
from appliance.hosts.reach import Reach

POLL_SECONDS = 0.2
GRACE_SECONDS = 30
SUCCEEDED, PARTIAL = 0, 3
"""Exit codes that come with a result; a partial one names in `warnings` what could not be read."""


def stream(
    reach: Reach,
    argv: Sequence[str],
    spec: Mapping[str, Any],
    *,
    environment: Mapping[str, str],
    on_event: Callable[[Mapping[str, Any]], None],
    is_cancelled: Callable[[], bool],
) -> dict[str, Any]:
    """Start `argv` on a host, hand it `spec` on its standard input, call `on_event` for each line, return the one with `"event": "result"`.

    Raises Cancelled after the program has ended (on a managed host: after its reader has), CommandFailed with the code the program gave,
    HostUnreachable and HostRefused.
    """
    process = _started(reach.command(argv, environment=environment), spec)
    try:
        last, said = _follow(process, on_event, is_cancelled)
    finally:
        for pipe in (process.stdout, process.stderr):
            if pipe is not None:
                pipe.close()
    code = process.wait()
    if is_cancelled() and code != 0:
        raise Cancelled(f"{argv[-1]} was stopped.")
    if last.get("event") == "result" and code in (SUCCEEDED, PARTIAL):
        return last
    reach.judge(code, "\n".join(said))
    message = last.get("message") or " ".join(said[-5:]) or f"it ended with code {code} and said nothing"
    raise CommandFailed(str(message), code=str(last.get("code", "failed")))


def _started(command: Sequence[str], spec: Mapping[str, Any]) -> subprocess.Popen[bytes]:
    pipe = subprocess.PIPE
    process = subprocess.Popen(command, stdin=pipe, stdout=pipe, stderr=pipe, start_new_session=True, env=dict(os.environ))
    assert process.stdin is not None  # noqa: S101 - Popen was given a pipe
    with contextlib.suppress(BrokenPipeError):  # a program that did not start says why on its other pipes
        process.stdin.write(json.dumps(spec).encode())
        process.stdin.close()
    return process


def _follow(
    process: subprocess.Popen[bytes], on_event: Callable[[Mapping[str, Any]], None], is_cancelled: Callable[[], bool]
) -> tuple[dict[str, Any], list[str]]:
    last: dict[str, Any] = {}
    said: list[str] = []
    buffers = {"out": b"", "err": b""}
    with selectors.DefaultSelector() as selector:
        for pipe, name in ((process.stdout, "out"), (process.stderr, "err")):
            assert pipe is not None  # noqa: S101 - Popen was given pipes
            selector.register(pipe, selectors.EVENT_READ, name)
        while selector.get_map():
            if is_cancelled() and process.poll() is None:
                _stop(process)
            for key, _ in selector.select(POLL_SECONDS):
                chunk = os.read(key.fd, 65536)
                if not chunk:
                    selector.unregister(key.fileobj)
                *lines, buffers[key.data] = (buffers[key.data] + chunk).split(b"\n")
                for line in lines:
                    if key.data == "err":
                        said.append(line.decode(errors="replace"))
                    elif event := event_in(line) or {"event": "log", "text": line.decode(errors="replace")}:
                        last = event
                        on_event(event)
    return last, said


def event_in(line: bytes) -> dict[str, Any] | None:
    """The event that a line of a program is, None for any other line."""
    try:
        event = json.loads(line)
    except ValueError:
        return None
    return event if isinstance(event, dict) else None


def _stop(process: subprocess.Popen[bytes]) -> None:
    process.terminate()
    try:
        process.wait(GRACE_SECONDS)
    except subprocess.TimeoutExpired:
        process.kill()
