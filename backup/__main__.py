"""`python -m backup VERB`: one run, one repository, one process that can be killed at any moment."""

import os
import sys
from collections.abc import Callable, Sequence
from contextlib import suppress
from importlib import import_module
from typing import Any

from pydantic import JsonValue

from backup.command_line import parse
from backup.events import JsonLines, Reporter, Terminal
from backup.failures import NotDone
from backup.interruption import interruptible, stop_when_unheard
from backup.restic_messages import PARTIAL
from backup.tables import shown

NICE_VERBS = frozenset({"backup", "base", "copy", "stream", "ship", "relay", "check", "compare", "forget"})
READS = "read"
"""The verb whose standard output is what was asked for."""
NICENESS = 10
DIED_UNHEARD = 1
Action = Callable[[Any, Reporter], dict[str, JsonValue]]


def action_of(verb: str) -> Action:
    """Load what carries a verb out: the function of its name, in the module of its name. The others are not loaded."""
    name = verb.replace("-", "_")
    action: Action = getattr(import_module(f"backup.actions.{name}"), name)
    return action


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
        facts = action_of(verb)(spec, reporter)
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
