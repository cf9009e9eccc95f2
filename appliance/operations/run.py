"""What a step is given: its operation, a memory that survives a crash, and the ways to reach the CRM's host."""

import shutil
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field, replace
from datetime import datetime
from functools import cached_property
from pathlib import Path
from typing import Any

from appliance.domain.operation import Operation
from appliance.domain.transfer import Pace
from appliance.errors import Cancelled, CommandFailed, HostUnreachable, PlaybookFailed, StepFailed
from appliance.hosts.confinement import MARKER, name_of
from appliance.hosts.playbooks import Recap, run_playbook
from appliance.hosts.reach import Local, ask, ask_script, boot_of
from appliance.hosts.streams import stream
from appliance.operations.ahead import GO, Ahead, Held
from appliance.operations.machines import Machine, channel_of, host_of, machine_of
from appliance.wiring import Appliance

GRACE_SECONDS = 10


@dataclass(frozen=True, kw_only=True)
class Run:
    """One run of one step. `interrupted` says that an earlier run of it was cut off, after its processes have ended."""

    appliance: Appliance
    operation: Operation
    step: str
    interrupted: bool
    cancellable: bool
    now: Callable[[], datetime]
    end_children_here: Callable[[], None]
    counter: list[int] = field(default_factory=lambda: [0])
    ahead: Ahead = field(default_factory=Ahead)
    pace: Pace = field(default_factory=Pace)
    scope: str | None = None
    """A part of the memory of its own, for steps that act on a copy beside what the operation acts on."""

    @cached_property
    def machine(self) -> Machine:
        """The host that this operation works on."""
        host = host_of(self.appliance, self.operation, self.within(None).memory)
        return machine_of(self.appliance, host, channel=channel_of(self.operation))

    @property
    def memory(self) -> Mapping[str, Any]:
        """What earlier steps have written down."""
        everything = self.appliance.store.operations.memory(self.operation.id)
        return everything if self.scope is None else everything.get(self.scope, {})

    def remember(self, **values: Any) -> None:
        """Write down for later steps, durably, before it is acted upon."""
        told = values if self.scope is None else {self.scope: {**self.memory, **values}}
        self.appliance.store.operations.remember(self.operation.id, told)

    def within(self, scope: str | None) -> "Run":
        """The same run with another part of the memory; None is the operation's own."""
        return replace(self, scope=scope)

    def log(self, text: str) -> None:
        """Add to the live log."""
        self.appliance.store.logs.add(self.operation.id, text, step=self.step, now=self.now())

    def progress(self, percent: float) -> None:
        """Say how far this step has come, 0 to 100."""
        self.appliance.store.operations.progress(self.operation.id, self.step, int(percent))

    def is_cancelled(self) -> bool:
        """Whether somebody asked to stop and this step may be stopped."""
        return self.cancellable and self.appliance.store.operations.is_cancel_requested(self.operation.id)

    def playbook(self, name: str, variables: Mapping[str, Any]) -> Recap:
        """Run a playbook on the instance's host. Raises PlaybookFailed or Cancelled, in both cases after its processes have ended."""
        self.log(f"playbook {name}")
        found = self.ahead.take(name, variables)
        with self.while_it_stays_up():
            if found is None:
                return self._play(self._ident(name), name, variables, Held(on_line=self.log, is_cancelled=self.is_cancelled))
            held, recap = found
            held.on_line, held.is_cancelled = self.log, self.is_cancelled
            held.open(GO)
            return held.outcome(recap)

    def prepare(self, name: str, variables: Mapping[str, Any]) -> None:
        """Load a playbook run ahead of its turn: called with the same, by this step or a later one, `playbook` lets it begin at once."""
        ident = self._ident(name)
        held = Held(gate=self.directory / ident / "gate")
        self.ahead.begin(name, variables, held, lambda held: self._play(ident, name, variables, held))

    def _ident(self, playbook: str) -> str:
        self.counter[0] += 1
        return f"{self.step}-{self.counter[0]}-{playbook}-{self.now():%H%M%S%f}"

    def _play(self, ident: str, name: str, variables: Mapping[str, Any], held: Held) -> Recap:
        return run_playbook(
            self.machine.reach,
            name,
            {**variables, "operation_environment": self.mark},
            directory=self.directory / ident,
            ident=ident,
            on_line=held.hear,
            is_cancelled=held.is_to_stop,
            gate=held.gate,
            on_done=held.done.set_result,
        )

    def backup(self, verb: str, spec: Mapping[str, Any]) -> dict[str, Any]:
        """Let the backup package on the host move data. Raises CommandFailed or Cancelled, the latter after its processes have ended."""
        argv = [self.machine.layout.tools_python, "-m", "backup", verb]
        with self.while_it_stays_up():
            return stream(self.machine.reach, argv, spec, environment=self.mark, on_event=self._hear, is_cancelled=self.is_cancelled)

    def backup_here(self, verb: str, spec: Mapping[str, Any]) -> dict[str, Any]:
        """The same on the appliance's own machine, whichever host this operation works on: what it is lent gets to no other.

        Raises CommandFailed, Cancelled.
        """
        argv = [sys.executable, "-m", "backup", verb]
        try:
            return stream(Local(), argv, spec, environment={}, on_event=self._hear, is_cancelled=self.is_cancelled)
        except Cancelled:
            self.end_children()
            raise

    @contextmanager
    def while_it_stays_up(self) -> Iterator[None]:
        """See to what was at work when something else ended it: somebody who asked to stop, or the host, which went down.

        Raises HostUnreachable instead of a failure whose cause is that the host shuts down or was started anew.
        """
        boot = boot_of(self.machine.reach)
        try:
            yield
        except Cancelled:
            self.end_children()
            raise
        except (PlaybookFailed, CommandFailed) as failure:
            if boot_of(self.machine.reach) != boot:
                raise HostUnreachable(f"The host {self.machine.host.name} went down during the work: {failure}") from failure
            raise

    @property
    def mark(self) -> dict[str, str]:
        """What the processes of this operation carry in their environment on a managed host; here their confinement holds them."""
        return {} if self.machine.host.is_local else {MARKER: name_of(self.appliance.settings.home, self.operation.id)}

    def end_children(self, *, patience_seconds: float = 0, here: bool = True) -> None:
        """End what this operation has started, here and on its host, after waiting for it to end by itself. Raises HostUnreachable."""
        if here:
            self.end_children_here()
        if not self.machine.host.is_local:
            self.end_on_host(self.operation.id, patience_seconds=patience_seconds)

    def end_on_host(self, operation_id: int, *, patience_seconds: float) -> None:
        """End what an operation has left running on the host, after waiting for it to end by itself. Raises HostUnreachable."""
        name = name_of(self.appliance.settings.home, operation_id)
        lent = self.machine.layout.secrets_directory / name
        arguments = (f"{MARKER}={name}", str(patience_seconds), str(GRACE_SECONDS), str(lent))
        ask_script(self.machine.reach, "end_marked", *arguments, timeout_seconds=patience_seconds + 60 + GRACE_SECONDS)

    @contextmanager
    def secret_files(self, secrets: Mapping[str, str]) -> Iterator[dict[str, str]]:
        """Lay secrets down as files (0600, in memory where the machine has such a place) for as long as they are needed."""
        directory = self.appliance.settings.run / "secrets" / str(self.operation.id)
        shutil.rmtree(directory, ignore_errors=True)
        directory.mkdir(parents=True, mode=0o700)
        try:
            yield {name: str(_private_file(directory / name, value)) for name, value in secrets.items()}
        finally:
            shutil.rmtree(directory, ignore_errors=True)

    @contextmanager
    def lent_secrets(self, secrets: Mapping[str, str]) -> Iterator[dict[str, str]]:
        """The same on the host, for the programs that run there; what a lost connection leaves behind is removed with its processes."""
        if self.machine.host.is_local:
            with self.secret_files(secrets) as files:
                yield files
            return
        reach = self.machine.reach
        ask(reach, ["sh", "-c", 'umask 077; rm -rf "$1"; mkdir -p "$1"', "sh", str(self._lent)])
        try:
            for name, value in secrets.items():
                ask(reach, ["sh", "-c", 'umask 077; cat > "$1"', "sh", str(self._lent / name)], given=value)
            yield {name: str(self._lent / name) for name in secrets}
        except BaseException:
            with suppress(StepFailed):  # what went wrong before is what counts
                ask(reach, ["rm", "-rf", str(self._lent)])
            raise
        ask(reach, ["rm", "-rf", str(self._lent)])

    @property
    def _lent(self) -> Path:
        return self.machine.layout.secrets_directory / name_of(self.appliance.settings.home, self.operation.id)

    @property
    def directory(self) -> Path:
        """Artifacts of this operation."""
        return self.appliance.settings.home / "operations" / str(self.operation.id)

    def _hear(self, event: Mapping[str, Any]) -> None:
        if event.get("event") == "log":
            self.log(str(event.get("text", "")))
        elif event.get("event") == "progress":
            self._tell_transfer(event)

    def _tell_transfer(self, event: Mapping[str, Any]) -> None:
        stage, done, total = str(event.get("stage", "")), int(event["bytes_done"]), event.get("bytes_total")
        transfer = self.pace.see(stage, bytes_done=done, bytes_total=total, seconds=time.monotonic())
        if transfer is not None:
            percent = None if event.get("percent") is None else int(event["percent"])
            self.appliance.store.operations.progress(self.operation.id, self.step, percent, transfer)


def _private_file(file: Path, value: str) -> Path:
    file.touch(mode=0o600)
    file.write_text(value)
    return file
