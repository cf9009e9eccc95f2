"""What each verb is asked to do, as JSON on standard input. Nothing here can become an option of a program."""

from typing import Annotated, Self

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, JsonValue, StringConstraints, model_validator

from backup.database_spec import DatabaseSpec, PostgreSQLSpec, SQLiteSpec
from backup.locations import CREDENTIALS, kind_of
from backup.points import RESERVED_NAMES
from backup.spec_values import CrmName, Location, Path_, PlainPath, PointId, Queries, SqlName, UserName, refuse_nested

SIX_HOURS_IN_SECONDS = 6 * 3600


class Spec(BaseModel):
    """What a verb is asked, or a part of it; whatever it does not know is refused."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class RepositorySpec(Spec):
    """Where a restic repository is, and the file with its password.

    `lock_directory` holds the lease that keeps two runs apart (default: beside the repository; one that is elsewhere needs it);
    `wait_seconds` is how long a run waits for another one to finish. For one that is elsewhere: `credentials` name a file for each
    variable; `key_file` and `known_hosts` are SSH's, `authority` is the file with the certificate that its own is checked with.
    """

    location: Location
    password_file: Path_
    lock_directory: Path_ | None = None
    wait_seconds: Annotated[int, Field(ge=0, le=86400)] = 120
    credentials: dict[str, Path_] = {}
    key_file: PlainPath | None = None
    known_hosts: PlainPath | None = None
    authority: Path_ | None = None

    @property
    def is_local(self) -> bool:
        """Whether it is a directory of this machine."""
        return self.location.startswith("/")

    @model_validator(mode="after")
    def _refuse_what_does_not_fit(self) -> Self:
        if unknown := sorted(self.credentials.keys() - CREDENTIALS):
            raise ValueError(f"credentials: unknown names: {', '.join(unknown)}")
        if not self.is_local and self.lock_directory is None:
            raise ValueError("lock_directory: a repository that is elsewhere needs one")
        if kind_of(self.location) == "sftp" and not (self.key_file and self.known_hosts):
            raise ValueError("a repository by SFTP needs key_file and known_hosts")
        return self


class RepositoryVerb(Spec):
    """A verb that acts on a repository, for as long as `deadline_seconds` at most."""

    repository: RepositorySpec
    deadline_seconds: Annotated[float, Field(gt=0)] = SIX_HOURS_IN_SECONDS


class InitSpec(RepositoryVerb):
    """Create the repository unless it exists.

    With `quick_key`, one on this machine gets a second key for its password, which costs nothing to derive: for a password of at least
    32 random characters, as no person chooses one.
    """

    quick_key: bool = False


class BackupSpec(RepositoryVerb):
    """Make one recovery point. `record` holds facts to keep with it; they may use any name but the record's own.

    Where the database's log is received into `spool`, the point is marked in that log. Without a `dump` that mark is all that leads to it,
    so the log up to it is shipped in the same run.
    """

    crm: CrmName
    point: PointId
    database: DatabaseSpec | None
    dump: bool = True
    spool: Path_ | None = None
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
        if self.database and not self.dump and self.spool is None:
            raise ValueError("spool: without a dump, say where the log is received")
        if self.spool and isinstance(self.database, SQLiteSpec):
            raise ValueError("spool: SQLite writes no log that could be received")
        if self.database and not self.dump and not isinstance(self.database, PostgreSQLSpec):
            raise ValueError(f"dump: only a dump leads to a point of {self.database.engine}")
        return self


class PointsSpec(RepositoryVerb):
    """List the recovery points, of one CRM or of all."""

    crm: CrmName | None = None


class LeftoversSpec(PointsSpec):
    """List the snapshots that belong to no recovery point."""


class RestoreSpec(RepositoryVerb):
    """Restore one recovery point: its dump into an existing empty database, its files into new directories.

    `owner` is the system user that shall own the files; without it they get the user ids that they were saved with. A database that is
    a file gets that owner, too, and is otherwise of whoever restores it; `role` owns what is in a database of PostgreSQL.
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
        if isinstance(self.database, PostgreSQLSpec) and self.role is None:
            raise ValueError("role: say which role shall own what is restored into the database")
        if self.database and self.role and not isinstance(self.database, PostgreSQLSpec):
            raise ValueError(f"role: in a database of {self.database.engine} nothing is owned by a role")
        refuse_nested(list((self.files or {}).values()))
        return self


class CopySpec(RepositoryVerb):
    """Bring everything that is in the repository `source`, of one CRM or of all, into this one, too; it is made if there is none."""

    source: RepositorySpec
    crm: CrmName | None = None


class KeepSpec(RepositoryVerb):
    """Keep what a small text file holds under a name, beside the recovery points; altogether the newest `last` are kept."""

    name: PointId
    file: Path_
    last: Annotated[int, Field(ge=1, le=1000)] = 30


class KeptSpec(RepositoryVerb):
    """List what was kept under a name."""

    name: PointId


class FetchSpec(RepositoryVerb):
    """Bring back what was kept last under a name, or what `snapshot` holds, into the new file `target`."""

    name: PointId
    snapshot: Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{64}$")] | None = None
    target: Path_


class KeySpec(RepositoryVerb):
    """Let the password in a second file open the repository, too."""

    new_password_file: Path_


class InspectSpec(Spec):
    """Count and check-sum a live database."""

    database: DatabaseSpec
    counts: Queries = {}
    checksums: Queries = {}
    deadline_seconds: Annotated[float, Field(gt=0)] = SIX_HOURS_IN_SECONDS


class ForgetSpec(RepositoryVerb):
    """Give up recovery points, and (`prune`) the space that only they used.

    Bases and logs are given up where they lead only to moments before `log_since`, or all of them (`log_at_all` is false); snapshots of
    a log that end before `superseded_before` where a later one holds everything and more.
    """

    crm: CrmName
    points: list[PointId] = []
    log_since: AwareDatetime | None = None
    log_at_all: bool = True
    superseded_before: AwareDatetime | None = None
    prune: bool = True

    @model_validator(mode="after")
    def _refuse_nothing(self) -> Self:
        if not self.points and self.log_since is None and self.log_at_all:
            raise ValueError("points: name what is to be given up")
        return self


class CheckSpec(RepositoryVerb):
    """Check the repository: its structure, and all (`read_data`) or a part n/t (`read_data_subset`) of its data."""

    read_data: bool = False
    read_data_subset: Annotated[str, StringConstraints(pattern=r"^[1-9][0-9]{0,3}/[1-9][0-9]{0,3}$")] | None = None


class CompareSpec(RepositoryVerb):
    """Compare `sample` of the live files below `paths`, altogether up to `sample_bytes`, with a recovery point: the newest, or `point`."""

    crm: CrmName
    point: PointId | None = None
    paths: Annotated[list[Path_], Field(min_length=1)]
    sample: Annotated[int, Field(ge=1, le=400)] = 200
    sample_bytes: Annotated[int, Field(ge=1)] = 2**29
