"""restic through resticpy, with resticpy's one executor replaced by ours.

resticpy reads output after the end, forgets exit codes and cannot be cancelled. Every one of its commands calls
`restic.internal.command_executor.execute`; replacing that function gives all of them progress, typed failures and
cancelling. A unit test fails if resticpy's insides change; the version is pinned. resticpy's settings are global, so
a process serves one repository only.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import restic  # type: ignore[import-untyped]
from restic.internal import command_executor  # type: ignore[import-untyped]

from backup import restic_arguments
from backup.children import Ended, run
from backup.events import Reporter
from backup.failures import BackupFailure
from backup.full_disk import FullDisk
from backup.restic_messages import PARTIAL, error_texts, failure_of, progress_in, refusal_in

BINARY = "restic"
OLDEST_USABLE = (0, 17)
READING_COMMANDS = frozenset({"snapshots", "dump", "ls", "list", "cat"})


@dataclass(kw_only=True)
class ResticExecutor:
    """Carries out restic's commands for one repository.

    `takes_locks` is false for a repository that cannot be written to, which is still good for a restore; so is one that `is_full`;
    `stage` names what progress is of, `expected_bytes` stands in for a total that restic cannot know, `inherited`
    are descriptors (the lease) that children hold too. `flags` and `environment` are restic's for a repository that is elsewhere.
    """

    location: str
    reporter: Reporter
    wait_seconds: int
    takes_locks: bool = True
    is_full: bool = False
    flags: list[str] = field(default_factory=list)
    environment: dict[str, str] = field(default_factory=dict)
    stage: str = ""
    expected_bytes: int | None = None
    inherited: list[int] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)

    def execute(self, command: Sequence[str], *, stdin: bytes = b"", keep: Callable[[str], bool] | None = None) -> str:
        """Run a whole restic command line and give its output without status lines, or what `keep` wants of it; raises typed failures."""
        verb = verb_of(command)
        wanted = keep or partial(self._keep, self._disk_under(verb))
        argv = self.with_flags(command, reading=self.only_reads(verb))
        try:
            ended = run(
                argv,
                keep=wanted,
                hear=self._hear,
                stdin=stdin,
                inherited=self.inherited,
                environment=self.environment,
            )
        except FileNotFoundError as error:
            raise BackupFailure("setpriv (Debian package util-linux) is missing.", code="setpriv_missing") from error
        return self._output_of(ended, verb)

    def with_flags(self, command: Sequence[str], *, reading: bool) -> list[str]:
        """Complete a command line with what this repository needs."""
        return restic_arguments.with_global_flags(command, reading=reading, wait_seconds=self.wait_seconds, more=self.flags)

    def more(self, arguments: Sequence[str], *, stdin: bytes = b"", keep: Callable[[str], bool] | None = None) -> str:
        """Run a command that resticpy lacks, on resticpy's own base command."""
        return self.execute(base_command(arguments), stdin=stdin, keep=keep)

    def listen(self, arguments: Sequence[str], hear: Callable[[str], None]) -> None:
        """The same for an output that may be too long to be kept."""

        def told(line: str) -> bool:
            hear(line)
            return False

        self.more(arguments, keep=told)

    def only_reads(self, verb: str) -> bool:
        """Say whether restic shall take no lock: for a quick look, or because the repository is on a disk that is read-only or full."""
        return verb in READING_COMMANDS or not self.takes_locks or (verb == "restore" and self.restores_without_lock)

    @property
    def restores_without_lock(self) -> bool:
        """Whether what reads for long takes no lock, since none could be written."""
        return not self.takes_locks or self.is_full

    def _disk_under(self, verb: str) -> FullDisk | None:
        return FullDisk(location=self.location) if verb == "backup" and self.location.startswith("/") else None

    def _keep(self, disk: FullDisk | None, line: str) -> bool:
        progress = progress_in(line)
        if progress is None:
            return True
        done, total = progress
        if disk:
            disk.see(done)
        self.reporter.progress(self.stage, bytes_done=done, bytes_total=self.expected_bytes or total)
        return False

    def _hear(self, line: str) -> None:
        if refusal := refusal_in(line, location=self.location):
            raise refusal

    def _output_of(self, ended: Ended, verb: str) -> str:
        if ended.code == PARTIAL and verb == "backup":
            self.warnings.extend(failure_lines(ended))
        elif ended.code:
            raise failure_of(ended, command=verb, location=self.location)
        return ended.stdout


def failure_lines(ended: Ended) -> list[str]:
    """Give what restic could not read during a backup that it finished all the same."""
    return [text for text in error_texts(ended.stderr) if not text.startswith("Warning: at least one source file")]


def verb_of(command: Sequence[str]) -> str:
    """Find restic's command in a whole command line: the first word after the flags and their values.

    >>> verb_of(["restic", "--json", "--repo", "/r", "--password-file", "/p", "--no-cache", "list", "locks"])
    'list'
    """
    words = iter(command[1:])
    for word in words:
        if word in ("--repo", "--password-file"):
            next(words, None)
        elif not word.startswith("-"):
            return word
    return ""


def base_command(arguments: Sequence[str]) -> list[str]:
    """Give resticpy's own base command (program, --json, repository, password file) followed by arguments."""
    make: Callable[[], list[str]] = restic._make_base_command
    return [*make(), *arguments]


def install(executor: ResticExecutor, *, password_file: str) -> Any:
    """Point resticpy at one repository and at our executor; gives resticpy's module."""
    restic.binary_path = BINARY
    restic.repository = executor.location
    restic.password_file = password_file
    restic.use_cache = False  # a local repository needs none, and a copy of its metadata in a home directory surprises
    command_executor.execute = executor.execute
    return restic
