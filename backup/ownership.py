"""Whose the restored files are.

restic gives everything below a target its owner and mode back, but not the target itself when a part of a snapshot is
restored; and it restores user ids as numbers, which belong to others on another machine or another instance.
"""

import os
import pwd
from pathlib import Path

from pydantic import BaseModel, ConfigDict

from backup.failures import BackupFailure

PERMISSION_BITS = 0o777
# Go's os.FileMode keeps these three elsewhere than Unix does (pkg.go.dev/io/fs#FileMode).
GO_TO_UNIX = {1 << 23: 0o4000, 1 << 22: 0o2000, 1 << 20: 0o1000}


class Node(BaseModel):
    """A directory as `restic ls --json` shows it."""

    model_config = ConfigDict(extra="ignore", frozen=True)

    path: str
    uid: int
    gid: int
    mode: int


def unix_mode(mode: int) -> int:
    """Translate Go's file mode to the one of Unix.

    >>> oct(unix_mode(2151678440))
    '0o2750'
    """
    return mode & PERMISSION_BITS | sum(unix for go, unix in GO_TO_UNIX.items() if mode & go)


def apply(node: Node, target: str) -> None:
    """Give a directory the owner and mode of the one it was saved from."""
    os.chown(target, node.uid, node.gid)
    Path(target).chmod(unix_mode(node.mode))


def ids_of(user: str) -> tuple[int, int]:
    """Give the user's id and group id; raises a failure `user_missing`."""
    try:
        found = pwd.getpwnam(user)
    except KeyError:
        raise BackupFailure(f"There is no user {user} on this machine.", code="user_missing") from None
    return found.pw_uid, found.pw_gid


def give_file_to(user: str, file: str) -> None:
    """Make a user and its group the owner of a file, or of a link itself."""
    os.chown(file, *ids_of(user), follow_symlinks=False)


def give_to(user: str, tree: str) -> None:
    """Make a user and its group the owner of everything in a tree; links themselves, not what they point to."""
    uid, gid = ids_of(user)
    for folder, _folders, _files, descriptor in os.fwalk(tree):
        for entry in os.scandir(folder):
            os.chown(entry.name, uid, gid, dir_fd=descriptor, follow_symlinks=False)
    os.chown(tree, uid, gid)
