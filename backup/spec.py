"""What each verb is asked to do, as JSON on standard input. Nothing here can become an option of a program."""

import os.path
import re
from itertools import pairwise
from typing import Annotated, Literal, Self

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, JsonValue, StringConstraints, model_validator

from backup.points import RESERVED_NAMES

SIX_HOURS_IN_SECONDS = 6 * 3600


def normalised_path(value: str) -> str:
    """Let only an absolute, normalised path below / through: restic and pg_dump would take others for options."""
    if not value.startswith("/") or value == "/" or os.path.normpath(value) != value or value.startswith("//"):
        raise ValueError("must be an absolute path without '..', '//' or an ending '/'")
    if re.search(r"[\x00-\x1f\x7f]", value):
        raise ValueError("must not hold control characters")
    return value


Path_ = Annotated[str, AfterValidator(normalised_path)]
CrmName = Annotated[str, StringConstraints(pattern=r"^[a-z0-9][a-z0-9_-]{0,62}$")]
PointId = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$")]
SqlName = Annotated[str, StringConstraints(pattern=r"^[A-Za-z_][A-Za-z0-9_-]{0,62}$")]
UserName = Annotated[str, StringConstraints(pattern=r"^[a-z_][a-z0-9_-]{0,31}$")]
Queries = dict[SqlName, str]


class _Spec(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class RepositorySpec(_Spec):
    """Where a restic repository is, and the file with its password.

    `lock_directory` holds the lease that keeps two runs apart (default: beside the repository);
    `wait_seconds` is how long a run waits for another one to finish.
    """

    location: Path_
    password_file: Path_
    lock_directory: Path_ | None = None
    wait_seconds: Annotated[int, Field(ge=0, le=86400)] = 120


class DatabaseSpec(_Spec):
    """A database reached over its server's unix socket, without a password (peer)."""

    engine: Literal["postgresql"] = "postgresql"
    name: SqlName
    port: Annotated[int, Field(ge=1, le=65535)] = 5432
    socket_directory: Path_ = "/var/run/postgresql"
    user: SqlName = "postgres"


class _RepositoryVerb(_Spec):
    repository: RepositorySpec
    deadline_seconds: Annotated[float, Field(gt=0)] = SIX_HOURS_IN_SECONDS


class InitSpec(_RepositoryVerb):
    """Create the repository unless it exists."""


class BackupSpec(_RepositoryVerb):
    """Make one recovery point. `record` holds facts to keep with it; they may use any name but the record's own."""

    crm: CrmName
    point: PointId
    database: DatabaseSpec | None
    paths: list[Path_] = []
    record: dict[str, JsonValue] = {}
    counts: Queries = {}
    checksums: Queries = {}

    @model_validator(mode="after")
    def _refuse_reserved_names(self) -> Self:
        if clashes := sorted(RESERVED_NAMES & self.record.keys()):
            raise ValueError(f"record: these names are the recovery point's own: {', '.join(clashes)}")
        if self.database is None and not self.paths:
            raise ValueError("there is neither a database nor a path to back up")
        return self


class PointsSpec(_RepositoryVerb):
    """List the recovery points, of one CRM or of all."""

    crm: CrmName | None = None


class LeftoversSpec(PointsSpec):
    """List the snapshots that belong to no recovery point."""


class RestoreSpec(_RepositoryVerb):
    """Restore one recovery point: its dump into an existing empty database, its files into new directories.

    `owner` is the system user that shall own the files; without it they get the user ids that they were saved with.
    """

    point: PointId
    crm: CrmName | None = None
    database: DatabaseSpec | None = None
    role: SqlName | None = None
    files: dict[Path_, Path_] | None = None
    owner: UserName | None = None

    @model_validator(mode="after")
    def _refuse_an_empty_restore(self) -> Self:
        if self.database is None and not self.files:
            raise ValueError("there is neither a database nor a file tree to restore")
        if self.database is not None and self.role is None:
            raise ValueError("role: say which role shall own what is restored into the database")
        targets = sorted(f"{target}/" for target in (self.files or {}).values())
        if any(later.startswith(earlier) for earlier, later in pairwise(targets)):
            raise ValueError("files: no target may be, or lie in, another one")
        return self


class InspectSpec(_Spec):
    """Count and check-sum a live database."""

    database: DatabaseSpec
    counts: Queries = {}
    checksums: Queries = {}
    deadline_seconds: Annotated[float, Field(gt=0)] = SIX_HOURS_IN_SECONDS


class ForgetSpec(_RepositoryVerb):
    """Give up recovery points, and (`prune`) the space that only they used."""

    crm: CrmName
    points: Annotated[list[PointId], Field(min_length=1)]
    prune: bool = True


class CheckSpec(_RepositoryVerb):
    """Check the repository: its structure, and all (`read_data`) or a part n/t (`read_data_subset`) of its data."""

    read_data: bool = False
    read_data_subset: Annotated[str, StringConstraints(pattern=r"^[1-9][0-9]{0,3}/[1-9][0-9]{0,3}$")] | None = None


AnySpec = InitSpec | BackupSpec | PointsSpec | RestoreSpec | InspectSpec | ForgetSpec | CheckSpec
