"""The commands that resticpy 1.3.0 lacks, as pure functions from checked values to arguments after `restic --json ...`."""

import re
from collections.abc import Sequence

PATTERN_SIGNS, SIGN_ITSELF = r"([\\*?\[\]])", r"\\\1"


def backup_paths(paths: Sequence[str], *, tags: Sequence[str], excluded: Sequence[str]) -> list[str]:
    """Back up directories without what restic's patterns exclude.

    >>> backup_paths(["/srv/files"], tags=["crm=demo"], excluded=["/srv/files/*.tmp"])
    ['backup', '/srv/files', '--exclude', '/srv/files/*.tmp', '--tag', 'crm=demo']
    """
    return ["backup", *paths, *(word for pattern in excluded for word in ("--exclude", pattern)), *_tags(tags)]


def backup_stdin(*, filename: str, tags: Sequence[str]) -> list[str]:
    """Back up standard input as one file.

    >>> backup_stdin(filename="record.json", tags=["crm=demo"])
    ['backup', '--stdin', '--stdin-filename', 'record.json', '--tag', 'crm=demo']
    """
    return ["backup", "--stdin", "--stdin-filename", filename, *_tags(tags)]


def backup_command(command: Sequence[str], *, filename: str, tags: Sequence[str]) -> list[str]:
    """Back up what a command writes; restic makes no snapshot if the command fails."""
    return ["backup", "--stdin-from-command", "--stdin-filename", filename, *_tags(tags), "--", *command]


def dump(snapshot: str, filename: str) -> list[str]:
    """Write one file of a snapshot to standard output."""
    return ["dump", snapshot, f"/{filename}"]


def dump_part(tree: str, path: str, *, archive: str) -> list[str]:
    """Write a file to standard output, or a directory as an archive; `tree` is a snapshot and a directory in it.

    >>> dump_part("4f1c:/srv/files", "/--target=x", archive="zip")
    ['dump', '--archive', 'zip', '4f1c:/srv/files', '/--target=x']
    """
    return ["dump", "--archive", archive, tree, path]


def ls(snapshot: str, directory: str) -> list[str]:
    """List one directory of a snapshot: first itself, then what is in it."""
    return ["ls", snapshot, directory]


def ls_below(snapshot: str, directories: Sequence[str]) -> list[str]:
    """List everything below directories of a snapshot."""
    return ["ls", "--recursive", snapshot, *directories]


def restore_files(snapshot: str, paths: Sequence[str], *, target: str) -> list[str]:
    r"""Restore some files, whatever they are called: restic takes what is included for a pattern.

    >>> restore_files("ab12", ["/srv/a[1]*.txt"], target="/tmp/new")
    ['restore', 'ab12', '--target', '/tmp/new', '--include=/srv/a\[1\]\*.txt']
    """
    return ["restore", snapshot, "--target", target, *(f"--include={re.sub(PATTERN_SIGNS, SIGN_ITSELF, path)}" for path in paths)]


def ls_tree(tree: str, path: str) -> list[str]:
    """List what is at a path of a tree, and all below it."""
    return ["ls", "--recursive", tree, path]


def restore_tree(snapshot: str, *, source: str, target: str) -> list[str]:
    """Restore the tree below one directory of a snapshot, and read it back to verify it."""
    return ["restore", f"{snapshot}:{source}", "--target", target, "--verify"]


def forget(snapshots: Sequence[str]) -> list[str]:
    """Forget snapshots by their ids."""
    return ["forget", *snapshots]


def prune() -> list[str]:
    """Free the space that no snapshot uses."""
    return ["prune"]


def check(*, read_data: bool, read_data_subset: str | None) -> list[str]:
    """Check the structure, and all or a part of the data."""
    data = ["--read-data"] if read_data else []
    subset = ["--read-data-subset", read_data_subset] if read_data_subset and not read_data else []
    return ["check", *data, *subset]


def source(location: str, password_file: str, *, first_key: str | None) -> list[str]:
    """Name the repository that something is taken from, and the key of it that the password is tried at first."""
    hint = ["--from-key-hint", first_key] if first_key else []
    return ["--from-repo", location, "--from-password-file", password_file, *hint]


def init_like(source: Sequence[str]) -> list[str]:
    """Create a repository that cuts files into the same pieces as another one, so that what is copied is not stored twice."""
    return ["init", "--copy-chunker-params", *source]


def copy(source: Sequence[str], *, crm: str | None, parts: Sequence[str]) -> list[str]:
    """Copy the snapshots that hold one of the parts; those that were copied before are left out.

    >>> copy(["--from-repo", "/r"], crm="demo", parts=["files", "record"])
    ['copy', '--from-repo', '/r', '--tag', 'part=files,crm=demo', '--tag', 'part=record,crm=demo']
    """
    of = f",crm={crm}" if crm else ""
    return ["copy", *source, *_tags([f"part={part}{of}" for part in parts])]


def first_key(key: str) -> list[str]:
    """Name the key that the password is tried at first; should it not open that one, restic tries all others."""
    return ["--key-hint", key]


def add_key(password_file: str) -> list[str]:
    """Let the password in that file open the repository, too."""
    return ["key", "add", "--new-password-file", password_file]


def cat_lock(lock: str) -> list[str]:
    """Show one lock."""
    return ["cat", "lock", lock]


def unlock_all() -> list[str]:
    """Remove all locks; unlike plain unlock it sends no signal to the process ids that are written in them."""
    return ["unlock", "--remove-all"]


def with_global_flags(command: Sequence[str], *, reading: bool, wait_seconds: int, more: Sequence[str] = ()) -> list[str]:
    """Put restic's global flags, which resticpy cannot give, right after the program's name.

    Commands that only read take no lock, so that they work on a read-only disk and beside anything.

    >>> with_global_flags(["restic", "--json", "snapshots"], reading=True, wait_seconds=5)
    ['restic', '--no-lock', '--json', 'snapshots']
    """
    flags = ["--no-lock"] if reading else ["--retry-lock", f"{wait_seconds}s"]
    return [command[0], *flags, *more, *command[1:]]


def _tags(tags: Sequence[str]) -> list[str]:
    return [word for tag in tags for word in ("--tag", tag)]
