"""The audit is a chain: each entry carries a hash over what it says and over the hash of the entry before it."""

import hashlib
import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from appliance.errors import InvalidRequest

BEGINNING = "0" * 64
"""What the first entry has as the hash of the one before it."""
HASH = "hash"
_WRITTEN = re.compile(r"[0-9a-f]{64}")


@dataclass(frozen=True, kw_only=True)
class AuditEntry:
    """Who did what, when. `number` counts from 1 without a gap; `previous` is the hash of the entry before."""

    number: int
    at: datetime
    actor: str
    action: str
    subject: str
    detail: Mapping[str, Any]
    previous: str
    hash: str


@dataclass(frozen=True, kw_only=True)
class AuditHead:
    """How many entries there are, and the hash of the newest: whoever has noted it sees later whether any up to there has gone."""

    entries: int
    hash: str


@dataclass(frozen=True, kw_only=True)
class AuditProof:
    """What looking at every entry has shown. `problem` is empty where the chain is whole; otherwise it names the first bad entry."""

    entries: int
    head: str
    problem: str = ""


def canonical(said: Mapping[str, Any]) -> str:
    """An entry as the one JSON text that is hashed and exported: keys in order, no blanks, ASCII only.

    >>> canonical({"b": "é", "a": 1})
    '{"a":1,"b":"\\\\u00e9"}'
    """
    return json.dumps(said, sort_keys=True, separators=(",", ":"), default=str)


def hash_of(said: Mapping[str, Any]) -> str:
    """The hash (SHA-256, hexadecimal) of everything that an entry says but its own hash.

    This can never change: every entry that was written and exported so far depends on it.
    """
    return hashlib.sha256(canonical({name: value for name, value in said.items() if name != HASH}).encode()).hexdigest()


def check_head(head: str) -> None:
    """Raise InvalidRequest for what is typed as a head and is no hash; nothing is one."""
    if head and not _WRITTEN.fullmatch(head):
        raise InvalidRequest(f"{head[:80]!r} is no hash of the audit: those are 64 hexadecimal digits. Nothing was verified.", field="head")


def prove(entries: Iterable[Mapping[str, Any]], *, head: str = "") -> AuditProof:
    """Look whether entries, as they are exported, are as they were written, all there and in their order.

    With `head` the entry with that hash has to be among them, so that a missing end is noticed.
    """
    number, last, found = 0, BEGINNING, head in ("", BEGINNING)
    for said in entries:
        if problem := _problem(said, number, last):
            return AuditProof(entries=number, head=last, problem=problem)
        number, last = number + 1, str(said[HASH])
        found = found or last == head
    missing = "" if found else f"No entry has the hash {head}: after entry {number} the newest ones were removed, or this is another audit."
    return AuditProof(entries=number, head=last, problem=missing)


def _problem(said: Mapping[str, Any], number: int, last: str) -> str:
    """What is wrong with the entry that should follow on number `number`, whose hash is `last`."""
    wanted, given = number + 1, said.get("number")
    if not isinstance(given, int) or given < 1:
        return f"What stands in the place of entry {wanted} is none: its number is {str(given)[:20]!r}."
    if given > wanted:
        return f"Entry {wanted} is missing: entry {given} stands in its place."
    if given < wanted:
        return f"Entry {given} stands after entry {number}: it was inserted, or the order was changed."
    if said.get(HASH) != hash_of(said):
        return f"Entry {wanted} is not as it was written: it was changed, or put into the place of another."
    if said.get("previous") != last:
        return f"Entry {wanted} does not follow the one before it, which was replaced, or others with it."
    return ""
