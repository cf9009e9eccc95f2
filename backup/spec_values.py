"""The kinds of values that a spec is made of. None of them can become an option of a program, another path or another tag."""

import os.path
import re
from itertools import pairwise
from typing import Annotated

from pydantic import AfterValidator, StringConstraints

from backup.locations import kind_of


def normalised_path(value: str) -> str:
    """Let only an absolute, normalised path below / through: restic and pg_dump would take others for options."""
    if not value.startswith("/") or value == "/" or os.path.normpath(value) != value or value.startswith("//"):
        raise ValueError("must be an absolute path without '..', '//' or an ending '/'")
    if re.search(r"[\x00-\x1f\x7f]", value):
        raise ValueError("must not hold control characters")
    return value


def inner_path(value: str) -> str:
    """Let only a normalised path inside a tree through, whatever its names hold; the empty one is the tree itself."""
    if value and ({"", ".", ".."} & set(value.split("/")) or "\0" in value):
        raise ValueError("must be a path inside the tree, without '..', '//' or a '/' at an end")
    return value


def refuse_nested(targets: list[str]) -> None:
    """Raise ValueError where one target is, or lies in, another one."""
    ends = sorted(f"{target}/" for target in targets)
    if any(later.startswith(earlier) for earlier, later in pairwise(ends)):
        raise ValueError("files: no target may be, or lie in, another one")


Path_ = Annotated[str, AfterValidator(normalised_path)]
InnerPath = Annotated[str, AfterValidator(inner_path), StringConstraints(max_length=4096)]
CrmName = Annotated[str, StringConstraints(pattern=r"^[a-z0-9][a-z0-9_-]{0,62}$")]
PointId = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$")]
SqlName = Annotated[str, StringConstraints(pattern=r"^[A-Za-z_][A-Za-z0-9_-]{0,62}$")]
UserName = Annotated[str, StringConstraints(pattern=r"^[a-z_][a-z0-9_-]{0,31}$")]
Queries = dict[SqlName, str]


def location(value: str) -> str:
    """Let only a path, or an address of a kind that is known."""
    return value if kind_of(value) else normalised_path(value)


Location = Annotated[str, AfterValidator(location)]
PlainPath = Annotated[str, AfterValidator(normalised_path), StringConstraints(pattern=r"^[A-Za-z0-9/._-]+$")]
