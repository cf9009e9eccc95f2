"""Make directories and files as they are described, in one program instead of one task for each.

Read by a task: the description is JSON on standard input, since it may hold secrets: `directories` (path, owner, group, mode) and `files`
(the same, and content). Prints one JSON object with `changed`. A file is replaced by a rename, so no reader ever sees half of one. Run by
root below directories of its own; a symbolic link in the place of a file or directory is refused.
"""

from __future__ import annotations

import grp
import json
import os
import pwd
import sys
import tempfile
from pathlib import Path
from typing import TypedDict


class Entry(TypedDict, total=False):
    """A directory or a file; root's, and readable for everybody, unless it says otherwise."""

    path: str
    content: str
    owner: str
    group: str
    mode: str


def ids(entry: Entry) -> tuple[int, int]:
    """User and group by number."""
    owner = entry.get("owner", "root")
    return pwd.getpwnam(owner).pw_uid, grp.getgrnam(entry.get("group", owner)).gr_gid


def refuse_link(path: Path) -> None:
    """Whoever may write beside a link could send root's writing elsewhere."""
    if path.is_symlink():
        sys.exit(f"{path} is a symbolic link where the appliance keeps something of its own. It was left as it is.")


def has(path: Path, entry: Entry, default_mode: str) -> bool:
    """Whether owner, group and mode are as described."""
    found = path.stat()
    return ((found.st_uid, found.st_gid), found.st_mode & 0o7777) == (ids(entry), int(entry.get("mode", default_mode), 8))


def make_directory(entry: Entry) -> bool:
    """True when something was changed."""
    path = Path(entry["path"])
    refuse_link(path)
    if path.is_dir() and has(path, entry, "0755"):
        return False
    path.mkdir(parents=True, exist_ok=True)
    os.chown(path, *ids(entry))
    path.chmod(int(entry.get("mode", "0755"), 8))
    return True


def write_file(entry: Entry) -> bool:
    """True when something was changed."""
    path, content = Path(entry["path"]), entry["content"].encode()
    refuse_link(path)
    if path.exists() and path.read_bytes() == content and has(path, entry, "0644"):
        return False
    handle, name = tempfile.mkstemp(prefix=".new-", dir=path.parent)
    with os.fdopen(handle, "wb") as stream:
        stream.write(content)
        stream.flush()
        os.fchown(handle, *ids(entry))
        os.fchmod(handle, int(entry.get("mode", "0644"), 8))
        os.fsync(handle)
    Path(name).replace(path)
    return True


def main() -> int:
    """Make everything and print whether something was changed."""
    described = json.load(sys.stdin)
    changed = [make_directory(entry) for entry in described["directories"]] + [write_file(entry) for entry in described["files"]]
    print(json.dumps({"changed": any(changed)}))
    return 0


if __name__ == "__main__":
    sys.exit(main())
