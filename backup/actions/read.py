"""Give out a file of a recovery point, or a directory as an archive."""

import sys

from pydantic import JsonValue

from backup import restic_arguments
from backup.children import Ended, bytes_as_file, started
from backup.events import Reporter
from backup.failures import BackupFailure, leaving_unchanged
from backup.held import HeldNode, HeldTree, held_tree
from backup.repository import open_repository
from backup.restic_executor import base_command
from backup.restic_messages import failure_of
from backup.spec_files import ReadSpec

GIVEN = ("file", "dir")


def read(spec: ReadSpec, reporter: Reporter) -> dict[str, JsonValue]:
    """Write it to standard output; `begins` tells first what comes: its kind, and the size in bytes of a file.

    Raises a failure `part_missing`, `not_held`, or `no_file` for what is neither file nor directory.
    """
    with leaving_unchanged("Nothing was changed."):
        repository = open_repository(spec.repository, reporter)
        tree = held_tree(repository, point=spec.point, crm=spec.crm, source=spec.source)
        facts = _facts(spec, tree.node(spec.path))
        reporter.finish("begins", facts)
        _give_out(tree, spec)
    return facts


def _facts(spec: ReadSpec, node: HeldNode | None) -> dict[str, JsonValue]:
    kind = node.type if node else "dir"
    if kind not in GIVEN:
        raise BackupFailure(f"{spec.path!r} is a {kind}, neither a file nor a directory.", code="no_file")
    return {"kind": kind, "size": node.size if node and kind == "file" else None}


def _give_out(tree: HeldTree, spec: ReadSpec) -> None:
    """restic writes to our own standard output, so nothing is held in between; when that is closed, we are ended and it with us."""
    executor = tree.repository.executor
    arguments = restic_arguments.dump_part(tree.name, f"/{spec.path}", archive=spec.archive)
    argv = executor.with_flags(base_command(arguments), reading=True)
    with (
        bytes_as_file(b"") as said,
        started(argv, stdout=sys.stdout.fileno(), stderr=said, inherited=executor.inherited, environment=executor.environment) as source,
    ):
        code = source.wait()
        said.seek(0)
        if code:
            ended = Ended(code=code, stdout="", stderr=said.read().decode(errors="replace"))
            raise failure_of(ended, command="dump", location=executor.location)
