"""A repository elsewhere: a second place for recovery points, which outlives the host that they were taken on."""

import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from appliance.errors import InvalidRequest

NAME_PATTERN = re.compile(r"[a-z][a-z0-9]*(-[a-z0-9]+)*")
LONGEST_NAME = 40
KINDS = "sftp://USER@HOST//DIR, rest:https://HOST:PORT/DIR/, s3:https://HOST/BUCKET or rclone:REMOTE:DIR"


@dataclass(frozen=True, kw_only=True)
class Repository:
    """Where it is, in restic's words; what it is asked with is a secret. `note` says how the last copying to it went, at `noted_at`.

    At `state_kept_at` the appliance's own state was kept there last, at `kit_proven_at` the recovery kit was last seen to open it.
    `retention` says what is kept there (`keep`), and where it is asked for that (`location`). At `credentials_at` was replaced what it is
    asked with.
    """

    name: str
    location: str
    created_at: datetime
    note: str = ""
    noted_at: datetime | None = None
    works: bool | None = None
    state_kept_at: datetime | None = None
    kit_proven_at: datetime | None = None
    retention: Mapping[str, Any] | None = None
    credentials_at: datetime | None = None


def check_repository(name: str, *, taken: Collection[str]) -> str:
    """Give its name back if it can be one. Raises InvalidRequest: hosts have repositories of their own, which are called as they are."""
    if not NAME_PATTERN.fullmatch(name) or len(name) > LONGEST_NAME:
        said = f"{name[:60]!r} cannot name a repository: use up to {LONGEST_NAME} small letters, digits and single dashes"
        raise InvalidRequest(f"{said}. Nothing was changed.", field="name")
    if name in taken:
        raise InvalidRequest(f"The name {name} is taken, by a repository or a host. Nothing was changed.", field="name")
    return name
