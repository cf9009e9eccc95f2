"""Read what restic says (JSON lines of restic >= 0.17) and turn its exit codes into typed failures.

Codes: restic's doc/075_scripting.rst, "Exit codes".
"""

import json
from typing import cast

from pydantic import JsonValue

from backup.children import Ended
from backup.failures import BackupFailure, Cancelled, NoRepository, NotDone, RepositoryLocked, WrongPassword

PARTIAL = 3
TYPED: dict[int, tuple[type[NotDone], str]] = {
    10: (NoRepository, "There is no restic repository at {location}. Create it with the verb init, or correct the location."),
    11: (RepositoryLocked, "The repository {location} is in use by another restic. Try again when it has finished."),
    12: (WrongPassword, "The password file does not open the repository {location}. Give the file it was created with."),
    130: (Cancelled, "restic was interrupted."),
}
# restic has no codes of its own for these; the words are ssh's, sftp's and the operating system's (LC_ALL=C.UTF-8).
BY_WORDS = {
    "host key verification failed": ("host_key", "The server of {location} shows another host key than the one that was given: see why."),
    "permission denied (publickey": ("refused", "The server of {location} lets nobody log in with the key that was given."),
    "unable to start the sftp session": (
        "no_session",
        "The server of {location} gave no SFTP session: see that it is there, with the host key that was given, and lets the given key in.",
    ),
    "no space left on device": ("disk_full", "The disk of the repository {location} is full. Free space there, or prune it."),
    "disk quota exceeded": ("disk_full", "The disk quota at the repository {location} is used up."),
    "read-only file system": ("not_writable", "The repository {location} is on a read-only file system."),
    "permission denied": ("not_writable", "The repository {location} may not be written or read by this user."),
    "no matching id found": ("snapshot_missing", "A snapshot that the recovery point refers to is missing in {location}."),
}

RETRIED = "returned error, retrying after"
"""restic tries anything anew for a quarter of an hour; an S3 server will not change its mind about these. The words are Amazon's."""
REFUSALS: dict[str, tuple[type[NotDone], str, str]] = {
    "bucket does not exist": (NoRepository, "no_repository", "There is no bucket for {location}. Create it, or let the verb init do it."),
    "access key id you provided does not exist": (BackupFailure, "refused", "The server of {location} knows no such access key id."),
    "signature we calculated does not match": (BackupFailure, "refused", "The server of {location} refuses the secret access key."),
}


def refusal_in(line: str, *, location: str) -> NotDone | None:
    """What a server has answered for good, though restic would ask again."""
    if RETRIED not in line:
        return None
    found = (refusal for words, refusal in REFUSALS.items() if words in line.lower())
    kind, code, sentence = next(found, (NotDone, "", ""))
    return kind(sentence.format(location=location), code=code) if code else None


def message_in(line: str) -> dict[str, JsonValue] | None:
    """Give the line's JSON object if it is one of restic's messages."""
    if not line.startswith('{"message_type"'):
        return None
    try:
        return cast(dict[str, JsonValue], json.loads(line))
    except ValueError:
        return None


def error_texts(output: str) -> list[str]:
    """Give the sentences of restic's errors, whether they came as JSON or plainly."""
    return [_error_text(line) for line in output.splitlines()]


def _error_text(line: str) -> str:
    message = message_in(line)
    if message is None:
        return line
    error = message.get("error")
    text = error.get("message") if isinstance(error, dict) else message.get("message")
    item = message.get("item")
    return f"{item}: {text}" if item and str(item) not in str(text) else str(text)


def failure_of(ended: Ended, *, command: str, location: str) -> NotDone:
    """Say why restic ended with a code other than 0."""
    if ended.code in TYPED:
        kind, sentence = TYPED[ended.code]
        return kind(sentence.format(location=location))
    said = "; ".join(dict.fromkeys(error_texts(ended.stderr))) or "it gave no reason"
    for words, (code, sentence) in BY_WORDS.items():
        if words in said.lower():
            return BackupFailure(f"{sentence.format(location=location)} (restic: {said})", code=code)
    return BackupFailure(f"restic {command} ended with code {ended.code}: {said}.", code=f"{command}_failed")


def progress_in(line: str) -> tuple[int, int | None] | None:
    """Give the bytes done and in all of a status line of backup or restore, None for any other line."""
    message = message_in(line)
    if message is None or message.get("message_type") != "status":
        return None
    done = message.get("bytes_done", message.get("bytes_restored", 0))
    total = message.get("total_bytes")
    return (done if isinstance(done, int) else 0), (total if isinstance(total, int) else None)
