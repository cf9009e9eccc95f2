"""Stream a dump out of a repository into a program, with no temporary file; both must succeed."""

import os
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from subprocess import PIPE, Popen
from typing import IO

from backup import restic_arguments
from backup.children import CHUNK_BYTES, Ended, bytes_as_file, end, started, text_of
from backup.failures import BackupFailure
from backup.restic_executor import ResticExecutor, base_command
from backup.restic_messages import failure_of

REPORT_EVERY_BYTES = 16 * CHUNK_BYTES
LARGEST_SMALL_BYTES = 256 * CHUNK_BYTES
"""What is read into memory at once: whoever can add to a repository can add a file of any size."""


def stream(
    executor: ResticExecutor,
    *,
    snapshot: str,
    filename: str,
    into: Sequence[str],
    expected_bytes: int | None,
    lent: Sequence[int] = (),
) -> None:
    """Feed one file of a snapshot to a program, which has the descriptors that are `lent`, too; raises a failure if either end does.

    If restic fails, the program is ended before it can take the broken stream's end for the dump's end.
    """
    argv = executor.with_flags(base_command(restic_arguments.dump(snapshot, filename)), reading=executor.restores_without_lock)
    with (
        bytes_as_file(b"") as said_source,
        bytes_as_file(b"") as said_sink,
        started(argv, stderr=said_source, inherited=executor.inherited, environment=executor.environment) as source,
        started(into, stdin=PIPE, stdout=said_sink, stderr=said_sink, inherited=lent) as sink,
    ):
        broken = not _pump(executor, source, sink, expected_bytes)
        _finish_source(executor, source, said_source, sink_broke=broken)
        _finish_sink(sink, said_sink, into[0])


def read_small(executor: ResticExecutor, *, snapshot: str, filename: str) -> bytes:
    """Read one small file of a snapshot as it is. Raises a failure `too_large` for another one, before all of it was read."""
    argv = executor.with_flags(base_command(restic_arguments.dump(snapshot, filename)), reading=True)
    content = bytearray()
    with bytes_as_file(b"") as said, started(argv, stderr=said, environment=executor.environment) as source:
        assert source.stdout is not None  # noqa: S101 - asked for as a pipe
        while chunk := os.read(source.stdout.fileno(), CHUNK_BYTES):
            content += chunk
            if len(content) > LARGEST_SMALL_BYTES:
                raise BackupFailure(f"The file {filename} of snapshot {snapshot[:8]} is far too large.", code="too_large")
        _finish_source(executor, source, said, sink_broke=False)
    return bytes(content)


def text_from(executor: ResticExecutor, *, snapshot: str, filename: str, into: Sequence[str]) -> str:
    """Give what a program says of one file of a snapshot, of which it need not read all; raises a failure as `stream`."""
    argv = executor.with_flags(base_command(restic_arguments.dump(snapshot, filename)), reading=not executor.takes_locks)
    with (
        bytes_as_file(b"") as said_source,
        bytes_as_file(b"") as told,
        bytes_as_file(b"") as said_sink,
        started(argv, stderr=said_source, inherited=executor.inherited, environment=executor.environment) as source,
        started(into, stdin=PIPE, stdout=told, stderr=said_sink) as sink,
    ):
        broken = not _pump(executor, source, sink, None)
        _finish_source(executor, source, said_source, sink_broke=broken)
        _finish_sink(sink, said_sink, into[0])
        return text_of(told)


def into_file(executor: ResticExecutor, arguments: Sequence[str], target: Path, expected_bytes: int | None) -> None:
    """Write what restic gives out into a new file; raises a failure if it is cut off."""
    argv = executor.with_flags(base_command(arguments), reading=True)
    with (
        bytes_as_file(b"") as said,
        target.open("xb") as file,
        started(argv, stderr=said, inherited=executor.inherited, environment=executor.environment) as source,
    ):
        assert source.stdout is not None  # noqa: S101 - asked for as a pipe
        done = 0
        while chunk := os.read(source.stdout.fileno(), CHUNK_BYTES):
            file.write(chunk)
            done += len(chunk)
            executor.reporter.progress("files", bytes_done=done, bytes_total=expected_bytes)
        _finish_source(executor, source, said, sink_broke=False)


def _pump(executor: ResticExecutor, source: Popen[bytes], sink: Popen[bytes], expected_bytes: int | None) -> bool:
    """Move the bytes; says whether the sink took them all."""
    assert source.stdout is not None  # noqa: S101 - asked for as a pipe
    assert sink.stdin is not None  # noqa: S101 - asked for as a pipe
    done, reported = 0, -REPORT_EVERY_BYTES
    while chunk := os.read(source.stdout.fileno(), CHUNK_BYTES):
        try:
            sink.stdin.write(chunk)
        except BrokenPipeError:
            return False
        done += len(chunk)
        if done - reported >= REPORT_EVERY_BYTES:
            executor.reporter.progress("database", bytes_done=done, bytes_total=expected_bytes)
            reported = done
    executor.reporter.progress("database", bytes_done=done, bytes_total=expected_bytes)
    return True


def _finish_source(executor: ResticExecutor, source: Popen[bytes], said: IO[bytes], *, sink_broke: bool) -> None:
    """Require restic's success, unless it was the other end that broke."""
    if sink_broke:
        end(source)
        return
    code = source.wait()
    if code:
        raise failure_of(Ended(code=code, stdout="", stderr=text_of(said)), command="dump", location=executor.location)


def _finish_sink(sink: Popen[bytes], said: IO[bytes], program: str) -> None:
    assert sink.stdin is not None  # noqa: S101 - asked for as a pipe
    with suppress(BrokenPipeError):  # its exit code says it better
        sink.stdin.close()
    code = sink.wait()
    if code:
        raise BackupFailure(f"{program} ended with code {code}: {text_of(said) or 'it gave no reason'}.", code="restore_failed")
