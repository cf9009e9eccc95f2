"""Look at what is in the directory of the CRMs, and which processes belong to operations; print one JSON object, change nothing.

Arguments: the directory of the CRMs, and what the marks of this appliance's operations begin with. `directories` gives for each directory
there whether its maintenance page is up, where its link `current` points to, and its deployments by id with what each is made of (null:
it does not say). `processes` names the programs at work by the number of their operation.
"""

import json
import os
import sys
from pathlib import Path

MARKER = "APPLIANCE_OPERATION="


def made_of(deployment: Path) -> "dict[str, object] | None":
    """What a deployment is made of; one that was not finished does not say."""
    try:
        said = json.loads((deployment / "deployment.json").read_text())
    except (OSError, ValueError):
        return None
    return said if isinstance(said, dict) else None


def link(path: Path) -> "str | None":
    """Where a link points to."""
    return str(path.readlink()) if path.is_symlink() else None


def directories(root: Path) -> "dict[str, object]":
    """Each directory of a CRM, or of something else."""
    return {
        entry.name: {
            "page": (entry / "maintenance" / "maintenance.on").exists(),
            "current": link(entry / "current"),
            "deployments": {one.name: made_of(one) for one in sorted(entry.glob("deployments/*")) if one.is_dir()},
        }
        for entry in (sorted(root.iterdir()) if root.is_dir() else ())
        if entry.is_dir() and not entry.is_symlink()
    }


def operation_of(process: Path, prefix: str) -> "str | None":
    """The number of the operation that a process belongs to, by the mark in its environment or its control group. Raises OSError."""
    environment = os.fsdecode((process / "environ").read_bytes()).split("\0")
    marks = [pair[len(MARKER) :] for pair in environment if pair.startswith(MARKER)]
    group = os.fsdecode((process / "cgroup").read_bytes()).rstrip().rpartition("/")[2]
    number = next((name[len(prefix) :] for name in (*marks, group) if name.startswith(prefix)), "")
    return number if number.isdigit() else None


def processes(prefix: str) -> "dict[str, list[str]]":
    """Those that are alive."""
    found: dict[str, list[str]] = {}
    for process in Path("/proc").iterdir():
        try:
            if not process.name.isdigit() or " Z " in (process / "stat").read_text(errors="replace"):
                continue
            number, program = operation_of(process, prefix), (process / "comm").read_text(errors="replace").strip()
        except OSError:
            continue
        if number is not None:
            found.setdefault(number, []).append(program)
    return found


if __name__ == "__main__":
    json.dump({"directories": directories(Path(sys.argv[1])), "processes": processes(sys.argv[2])}, sys.stdout)
