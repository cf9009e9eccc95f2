"""Check that the repository is whole."""

import json
from typing import cast

from pydantic import JsonValue

from backup import restic_arguments
from backup.events import Reporter
from backup.failures import BackupFailure, leaving_unchanged
from backup.repository import Repository, open_repository
from backup.spec import CheckSpec


def check(spec: CheckSpec, reporter: Reporter) -> dict[str, JsonValue]:
    """Check the structure and, if asked, data; raises a failure `damaged` with what restic found.

    Structure alone does not see a flipped bit in a pack: only reading the data does.
    """
    with leaving_unchanged("Nothing was changed."):
        repository = open_repository(spec.repository, reporter)
        with repository.held("check"), repository.stage("check"):
            summary = _check(repository, spec)
    data = "all" if spec.read_data else spec.read_data_subset or "none"
    return {"errors": summary.get("num_errors", 0), "data_read": data}


def _check(repository: Repository, spec: CheckSpec) -> dict[str, JsonValue]:
    arguments = restic_arguments.check(read_data=spec.read_data, read_data_subset=spec.read_data_subset)
    try:
        output = repository.executor.more(arguments)
    except BackupFailure as failure:
        if failure.code != "check_failed":
            raise
        raise BackupFailure(
            f"The repository is damaged. Copy it before anything else, then see `restic repair`. {failure.message}", code="damaged"
        ) from failure
    lines = output.splitlines()
    return cast(dict[str, JsonValue], json.loads(lines[-1])) if lines else {}
