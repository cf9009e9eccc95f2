"""Secrets that come with a request, so that none is ever written to a disk, and none is left behind by whatever ends us.

restic and ssh want files. Each secret is held in memory, as a file that is one of this process's own: it is gone with the process.
"""

import json
import os
from typing import Any

LENT = "/lent/"


def taken_into_memory(text: str) -> str:
    """Take the secrets out of a request: where it names /lent/NAME as a file, the memory that holds `lent[NAME]` is named instead."""
    try:
        request = json.loads(text)
        lent = dict(request.pop("lent"))
    except (ValueError, TypeError, AttributeError, KeyError):  # nothing is lent; what else may be wrong is said by who checks the request
        return text
    return json.dumps(_named(request, {f"{LENT}{name}": _held(str(value)) for name, value in lent.items()}))


def _held(value: str) -> str:
    """Hold it until this process ends; readable for its user alone, or ssh would refuse a key."""
    descriptor = os.memfd_create("lent")
    os.fchmod(descriptor, 0o600)
    os.write(descriptor, value.encode())
    return f"/proc/{os.getpid()}/fd/{descriptor}"


def _named(part: Any, files: dict[str, str]) -> Any:
    if isinstance(part, dict):
        return {name: _named(value, files) for name, value in part.items()}
    return files.get(part, part) if isinstance(part, str) else part
