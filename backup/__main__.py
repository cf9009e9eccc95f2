"""`python -m backup VERB`: one run, one repository, one process that can be killed at any moment."""

import os
import sys
from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import Any

from pydantic import JsonValue

from backup.actions.backup import backup
from backup.actions.base import base
from backup.actions.bases import bases
from backup.actions.check import check
from backup.actions.compare import compare
from backup.actions.copy import copy
from backup.actions.fetch import fetch
from backup.actions.files import files
from backup.actions.forget import forget
from backup.actions.init import init
from backup.actions.inspect import inspect
from backup.actions.keep import keep
from backup.actions.kept import kept
from backup.actions.key import key
from backup.actions.leftovers import leftovers
from backup.actions.points import points
from backup.actions.preview import preview
from backup.actions.put import put
from backup.actions.read import read
from backup.actions.recover import recover
from backup.actions.relay import relay
from backup.actions.replay import replay
from backup.actions.restore import restore
from backup.actions.restore_tables import restore_tables
from backup.actions.ship import ship
from backup.actions.stream import stream
from backup.actions.tables import tables
from backup.command_line import parse
from backup.events import JsonLines, Reporter, Terminal
from backup.failures import NotDone
from backup.interruption import interruptible, stop_when_unheard
from backup.restic_messages import PARTIAL
from backup.tables import shown

ACTIONS: dict[str, Callable[[Any, Reporter], dict[str, JsonValue]]] = {
    "init": init,
    "backup": backup,
    "points": points,
    "restore": restore,
    "files": files,
    "read": read,
    "preview": preview,
    "put": put,
    "tables": tables,
    "restore-tables": restore_tables,
    "inspect": inspect,
    "forget": forget,
    "check": check,
    "compare": compare,
    "leftovers": leftovers,
    "copy": copy,
    "base": base,
    "bases": bases,
    "stream": stream,
    "ship": ship,
    "relay": relay,
    "recover": recover,
    "replay": replay,
    "keep": keep,
    "kept": kept,
    "fetch": fetch,
    "key": key,
}
NICE_VERBS = frozenset({"backup", "base", "copy", "stream", "ship", "relay", "check", "compare", "forget"})
READS = "read"
"""The verb whose standard output is what was asked for."""
NICENESS = 10
DIED_UNHEARD = 1


def main(arguments: Sequence[str]) -> int:
    """Carry out one verb and give the exit code."""
    reporter = _reporter(arguments)
    try:
        return _carry_out(arguments, reporter)
    except NotDone as failure:
        reporter.finish("error", {"code": failure.code, "message": str(failure), **failure.details})
        return failure.exit_code


def _reporter(arguments: Sequence[str]) -> Reporter:
    if arguments[:1] == [READS]:
        return JsonLines(stream=sys.stderr)
    return Terminal() if sys.stdout.isatty() else JsonLines()


def _carry_out(arguments: Sequence[str], reporter: Reporter) -> int:
    verb, spec = parse(arguments)
    if verb in NICE_VERBS:
        with suppress(PermissionError):  # a unit that forbids it has said so itself
            os.nice(NICENESS)  # the CRM goes on serving meanwhile
    with interruptible(deadline_seconds=spec.deadline_seconds):
        stop_when_unheard(sys.stdout.fileno())
        facts = ACTIONS[verb](spec, reporter)
    reporter.finish("result", facts)
    if isinstance(reporter, Terminal):
        sys.stdout.write(shown(verb, facts) + "\n")
    return PARTIAL if facts.get("warnings") else 0


def console() -> None:
    """Run as a program; whoever listened may be gone, which is no reason for a traceback."""
    try:
        code = main(sys.argv[1:])
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        code = DIED_UNHEARD
    sys.exit(code)


if __name__ == "__main__":
    console()
