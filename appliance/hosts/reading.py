"""Run a program whose output is what somebody asked for, and take it piece by piece, however long it is."""

import contextlib
import json
import os
import subprocess
import threading
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from appliance.errors import CommandFailed
from appliance.hosts.reach import Reach
from appliance.hosts.streams import event_in

PIECE_BYTES = 256 * 1024
BEGINS_WITHIN_SECONDS = 120


@dataclass(frozen=True, kw_only=True)
class Reading:
    """What comes out of a program, from its begin on. `facts` is what the program told of it first. It has to be closed."""

    reach: Reach
    process: subprocess.Popen[bytes]
    facts: Mapping[str, Any]

    def piece(self) -> bytes:
        """The next piece, empty at the end. Raises CommandFailed, HostUnreachable, HostRefused where it is cut off."""
        assert self.process.stdout is not None  # noqa: S101 - begun with a pipe
        if piece := os.read(self.process.stdout.fileno(), PIECE_BYTES):
            return piece
        assert self.process.stderr is not None  # noqa: S101 - begun with a pipe
        said = self.process.stderr.read().decode(errors="replace").splitlines()
        if code := self.process.wait():
            raise _failure(self.reach, code, said)
        return b""

    def pieces(self) -> Iterator[bytes]:
        """All of them."""
        while piece := self.piece():
            yield piece

    def close(self) -> None:
        """End the program, on its host too, which notices that nobody listens any more."""
        self.process.kill()
        for pipe in (self.process.stdout, self.process.stderr):
            if pipe is not None:
                pipe.close()
        self.process.wait()


def read(reach: Reach, argv: Sequence[str], spec: Mapping[str, Any]) -> Reading:
    """Start `argv` on a host, hand it `spec`, and wait until it tells on its standard error what comes.

    Raises CommandFailed with the code the program gave, HostUnreachable and HostRefused.
    """
    process = subprocess.Popen(
        reach.command(argv), stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, start_new_session=True
    )
    begun = Reading(reach=reach, process=process, facts={})
    patience = threading.Timer(BEGINS_WITHIN_SECONDS, process.kill)
    patience.start()
    try:
        return replace(begun, facts=_begin_of(reach, process, json.dumps(spec).encode()))
    except BaseException:
        begun.close()
        raise
    finally:
        patience.cancel()


def _begin_of(reach: Reach, process: subprocess.Popen[bytes], spec: bytes) -> Mapping[str, Any]:
    assert process.stdin is not None  # noqa: S101 - begun with pipes
    assert process.stderr is not None  # noqa: S101 - begun with pipes
    with contextlib.suppress(BrokenPipeError):  # a program that did not start says why
        process.stdin.write(spec)
        process.stdin.close()
    said: list[str] = []
    for line in process.stderr:
        said.append(line.decode(errors="replace").rstrip())
        if (event := event_in(line)) is not None and event.get("event") == "begins":
            return event
    raise _failure(reach, process.wait(), said)


def _failure(reach: Reach, code: int, said: Sequence[str]) -> CommandFailed:
    """Raises HostUnreachable or HostRefused where the way failed; gives what the program said otherwise."""
    error = next(
        (event for line in reversed(said) if (event := event_in(line.encode())) is not None and event.get("event") == "error"), None
    )
    if error is not None:
        return CommandFailed(str(error.get("message")), code=str(error.get("code", "failed")))
    reach.judge(code, "\n".join(said))
    return CommandFailed(" ".join(said[-5:]) or f"The program ended with code {code} and said nothing.")
