"""Follow an operation to its end: a progress bar on a terminal, plain lines otherwise."""

import signal
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from types import FrameType
from typing import Protocol

from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

from appliance.cli.opened import now, opened, who
from appliance.cli.output import console, print_json
from appliance.cli.remote import remote
from appliance.domain.host import title_of
from appliance.domain.operation import Operation, OperationStatus, StepStatus
from appliance.domain.transfer import transferred
from appliance.errors import ApplianceError, Conflict
from appliance.operations.requesting import cancel
from appliance.operations.worker_lock import is_held
from appliance.store.logs import LogLine
from appliance.wiring import Appliance

POLL_SECONDS = 0.2
WORKER_PATIENCE_SECONDS = 10

EXIT_CODES = {
    OperationStatus.SUCCEEDED: 0,
    OperationStatus.FAILED: 1,
    OperationStatus.ROLLED_BACK: 3,
    OperationStatus.CANCELLED: 130,
    OperationStatus.NEEDS_ATTENTION: 1,
}
REFUSED_EXIT_CODE = 4


def exit_code(operation: Operation) -> int:
    """0 succeeded, 1 failed, 3 rolled back, 4 refused in preflight, 130 cancelled."""
    if operation.refused and operation.status == OperationStatus.FAILED:
        return REFUSED_EXIT_CODE
    return EXIT_CODES[operation.status]


class Source(Protocol):
    """Where operations are followed: this machine's store, or another one's API."""

    def operation(self, operation_id: int) -> Operation:
        """Where it stands. Raises NotFound."""

    def lines(self, operation_id: int, after: int) -> Sequence[LogLine]:
        """The lines of its log above an id."""

    def cancel(self, operation_id: int) -> None:
        """Ask it to stop. Raises Conflict when it has ended."""

    def is_worker_there(self) -> bool:
        """Whether somebody carries operations out."""


@dataclass(frozen=True, kw_only=True)
class Here:
    """The store of this machine."""

    appliance: Appliance

    def operation(self, operation_id: int) -> Operation:
        """As the journal knows it."""
        return self.appliance.store.operations.get(operation_id)

    def lines(self, operation_id: int, after: int) -> Sequence[LogLine]:
        """As they were written."""
        return self.appliance.store.logs.lines(operation_id, after=after)

    def cancel(self, operation_id: int) -> None:
        """In the name of who runs the command."""
        cancel(self.appliance, operation_id, requested_by=who(), now=now())

    def is_worker_there(self) -> bool:
        """By its lock."""
        return is_held(self.appliance.settings.worker_lock)


def source() -> Source:
    """This machine, or the one that `--url` has chosen."""
    return remote() or Here(appliance=opened())


def follow(source: Source, operation: Operation, *, as_json: bool) -> Operation:
    """Show an operation until it ends. Ctrl-C asks it to stop at its next safe point; a second one only stops looking."""
    show: Callable[[Operation], None] = _silent if as_json else _bar() if console.is_terminal else _Lines(source)
    with _cancel_on_interrupt(source, operation.id):
        ended = _until_end(source, operation.id, show)
    if as_json:
        print_json(ended)
    else:
        _tell_end(ended)
    return ended


def _until_end(source: Source, operation_id: int, show: Callable[[Operation], None]) -> Operation:
    waiting_since = time.monotonic()
    while True:
        operation = source.operation(operation_id)
        show(operation)
        if operation.status.is_final or operation.status == OperationStatus.NEEDS_ATTENTION:
            return operation
        if source.is_worker_there():
            waiting_since = time.monotonic()
        elif time.monotonic() - waiting_since > WORKER_PATIENCE_SECONDS:
            raise Conflict(f"Operation {operation_id} is recorded, but no worker is at work; it goes on when one starts. Run: appliance up")
        time.sleep(POLL_SECONDS)


class _Lines:
    """Plain lines: each step when it begins and how it ended, and the log in between."""

    def __init__(self, source: Source) -> None:
        self.source, self.seen = source, 0

    def __call__(self, operation: Operation) -> None:
        while lines := self.source.lines(operation.id, self.seen):
            for line in lines:
                print(f"[{line.step or operation.kind}] {line.text}", flush=True)
            self.seen = lines[-1].id


def _bar() -> Callable[[Operation], None]:
    progress = Progress(
        TextColumn("{task.description}"), BarColumn(), TextColumn("{task.percentage:>3.0f} %"), TimeElapsedColumn(), console=console
    )
    bar = progress.add_task("", total=100)
    progress.start()

    def show(operation: Operation) -> None:
        running = next((step.title for step in operation.steps if step.status == StepStatus.RUNNING), operation.status.value)
        moved = f" ({transferred(operation.transfer)})" if operation.transfer else ""
        progress.update(bar, completed=operation.percent, description=f"{operation.kind} {title_of(operation.instance)}: {running}{moved}")
        if operation.status.is_final or operation.status == OperationStatus.NEEDS_ATTENTION:
            progress.stop()

    return show


def _silent(_: Operation) -> None:
    return None


def _tell_end(operation: Operation) -> None:
    console.print(f"Operation {operation.id} ({operation.kind} {title_of(operation.instance)}) {operation.status.value.replace('_', ' ')}.")
    for step in operation.steps:
        if step.detail and step.status == StepStatus.SUCCEEDED:
            console.print(f"  {step.title}: {step.detail}", markup=False)
    for text in (operation.cause, operation.next_action):
        if text:
            console.print(text, markup=False)


class _cancel_on_interrupt:  # noqa: N801 - reads as a verb where it is used
    def __init__(self, source: Source, operation_id: int) -> None:
        self.source, self.operation_id = source, operation_id

    def __enter__(self) -> None:
        self.former = signal.signal(signal.SIGINT, self._ask)

    def __exit__(self, *_: object) -> None:
        signal.signal(signal.SIGINT, self.former)

    def _ask(self, _: int, __: FrameType | None) -> None:
        signal.signal(signal.SIGINT, self.former)
        try:
            self.source.cancel(self.operation_id)
            print("Asked to stop at the next safe point; press Ctrl-C again to leave it running unseen.", file=sys.stderr)
        except ApplianceError as error:
            print(f"appliance: {error}", file=sys.stderr)
