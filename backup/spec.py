"""What each verb is asked to do, as JSON on standard input. Nothing here can become an option of a program."""

from itertools import pairwise
from typing import Annotated, Literal, Self

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, JsonValue, StringConstraints, model_validator

from backup.database_spec import DatabaseSpec, LoggedDatabaseSpec, MariaDBSpec, PostgreSQLSpec, SQLiteSpec
from backup.locations import CREDENTIALS, kind_of
from backup.points import RESERVED_NAMES
from backup.spec_values import CrmName, InnerPath, Location, Path_, PlainPath, PointId, Queries, SqlName, UserName

SIX_HOURS_IN_SECONDS = 6 * 3600


class _Spec(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class RepositorySpec(_Spec):
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


class _RepositoryVerb(_Spec):
    repository: RepositorySpec
    deadline_seconds: Annotated[float, Field(gt=0)] = SIX_HOURS_IN_SECONDS


class InitSpec(_RepositoryVerb):
    """Create the repository unless it exists.

    With `quick_key`, one on this machine gets a second key for its password, which costs nothing to derive: for a password of at least
    32 random characters, as no person chooses one.
    """

    quick_key: bool = False


class BackupSpec(_RepositoryVerb):
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


class PointsSpec(_RepositoryVerb):
    """List the recovery points, of one CRM or of all."""

    crm: CrmName | None = None


class LeftoversSpec(PointsSpec):
    """List the snapshots that belong to no recovery point."""


class RestoreSpec(_RepositoryVerb):
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
        targets = sorted(f"{target}/" for target in (self.files or {}).values())
        if any(later.startswith(earlier) for earlier, later in pairwise(targets)):
            raise ValueError("files: no target may be, or lie in, another one")
        return self


class _HeldSpec(_RepositoryVerb):
    point: PointId
    crm: CrmName | None = None
    source: Path_
    path: InnerPath = ""


class FilesSpec(_HeldSpec):
    """List a directory (`path`) of the tree `source` that a recovery point holds: by name, `limit` entries behind the first `after`."""

    after: Annotated[int, Field(ge=0)] = 0
    limit: Annotated[int, Field(ge=1, le=10_000)] = 1000


class ReadSpec(_HeldSpec):
    """Write a file of the tree `source` that a recovery point holds to standard output, or a directory as an archive.

    What is said about it is on standard error.
    """

    archive: Literal["tar", "zip"] = "tar"


class PreviewSpec(_HeldSpec):
    """Compare a place of the tree `source` that a recovery point holds with the same place of the live tree `target`."""

    target: Path_
    named: Annotated[int, Field(ge=0, le=1000)] = 100


class TablesSpec(_RepositoryVerb):
    """List the tables that a recovery point's dump holds."""

    point: PointId
    crm: CrmName | None = None


class RestoreTablesSpec(_RepositoryVerb):
    """Restore single tables of a recovery point into the live `database`, into the new schema `schema_name` of its own.

    `scratch` is a database beside it for as long as this takes; `role` owns what is made. `again` says that an earlier call was cut
    off, so that what is there of that schema is its.
    """

    point: PointId
    crm: CrmName | None = None
    tables: Annotated[list[str], Field(min_length=1, max_length=1000)]
    database: PostgreSQLSpec
    role: SqlName
    schema_name: Annotated[str, StringConstraints(pattern=r"^restored_[0-9_]{1,40}$")]
    scratch: Annotated[str, StringConstraints(pattern=r"^crm_tables_[0-9]{1,20}$")]
    again: bool = False


class PutSpec(_RepositoryVerb):
    """Bring `paths` of the tree `source` that a recovery point holds into the tree `target`, where a CRM may be serving.

    With `kept`, whatever they take the place of is there afterwards; without it, `target` must not exist yet. `stage` is a directory
    on the same disk, for as long as this takes. All that is written belongs to `owner`.
    """

    point: PointId
    crm: CrmName | None = None
    source: Path_
    paths: Annotated[list[InnerPath], Field(min_length=1, max_length=1000)]
    target: Path_
    kept: Path_ | None = None
    stage: Path_
    owner: UserName

    @model_validator(mode="after")
    def _refuse_trees_in_each_other(self) -> Self:
        trees = sorted(f"{tree}/" for tree in (self.target, self.kept, self.stage) if tree)
        if any(later.startswith(earlier) for earlier, later in pairwise(trees)):
            raise ValueError("target, kept and stage: none may be, or lie in, another one")
        return self


class BaseSpec(_RepositoryVerb):
    """Save the files of a database's cluster while it serves. The log since then makes a database of them: see `stream`.

    `spool` is where that log is received; it need no longer keep what is older. `record` holds facts to keep with it.
    """

    crm: CrmName
    base: PointId
    database: PostgreSQLSpec
    spool: Path_
    record: dict[str, JsonValue] = {}


class RelaySpec(_RepositoryVerb):
    """Ship what is received into `spool` into a repository elsewhere, called `name`, until somebody ends it."""

    crm: CrmName
    name: CrmName
    spool: Path_
    ship_every_seconds: Annotated[float, Field(gt=0)] = 60
    deadline_seconds: Annotated[float, Field(ge=0)] = 0


class StreamSpec(_RepositoryVerb):
    """Receive the log of a database's cluster into `spool`, and ship it into the repository, until somebody ends it.

    `relays` ship it elsewhere, too.
    """

    crm: CrmName
    database: LoggedDatabaseSpec
    spool: Path_
    slot: SqlName = "crm_backup"
    ship_every_seconds: Annotated[float, Field(gt=0)] = 60
    relays: list[RelaySpec] = []
    deadline_seconds: Annotated[float, Field(ge=0)] = 0

    @model_validator(mode="after")
    def _refuse_what_is_shipped_here_only(self) -> Self:
        if self.relays and isinstance(self.database, MariaDBSpec):
            raise ValueError("relays: a binary log is shipped into one repository; copy that one")
        return self


class ShipSpec(_RepositoryVerb):
    """Ship what `spool` holds of a database's log, now. A log that is `ended` is received no more: the server need no longer keep it."""

    crm: CrmName
    spool: Path_
    database: LoggedDatabaseSpec
    slot: SqlName = "crm_backup"
    ended: bool = False


class BasesSpec(_RepositoryVerb):
    """List the bases of a CRM, and until when the log of each goes on."""

    crm: CrmName


class RecoverSpec(_RepositoryVerb):
    """Bring a cluster's files back into `target`, the log into `wal`: up to a recovery point, to `at`, or to all that was received."""

    crm: CrmName
    point: PointId | None = None
    at: AwareDatetime | None = None
    target: Path_
    wal: Path_
    owner: UserName = "postgres"

    @model_validator(mode="after")
    def _refuse_two_moments(self) -> Self:
        if self.point and self.at:
            raise ValueError("name a recovery point or a time, not both")
        return self


class ReplaySpec(_RepositoryVerb):
    """Bring a MariaDB database back on a server of its own: to the end of the second before `at`, or with all that was received.

    The database is empty and has the name it had; `scratch` is a directory with room for the log since the dump.
    """

    crm: CrmName
    database: MariaDBSpec
    at: AwareDatetime | None = None
    scratch: Path_ = "/var/tmp"  # noqa: S108 - what lies there is in a directory that nobody else may enter


class CopySpec(_RepositoryVerb):
    """Bring everything that is in the repository `source`, of one CRM or of all, into this one, too; it is made if there is none."""

    source: RepositorySpec
    crm: CrmName | None = None


class KeepSpec(_RepositoryVerb):
    """Keep what a small text file holds under a name, beside the recovery points; altogether the newest `last` are kept."""

    name: PointId
    file: Path_
    last: Annotated[int, Field(ge=1, le=1000)] = 30


class KeptSpec(_RepositoryVerb):
    """List what was kept under a name."""

    name: PointId


class FetchSpec(_RepositoryVerb):
    """Bring back what was kept last under a name, or what `snapshot` holds, into the new file `target`."""

    name: PointId
    snapshot: Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{64}$")] | None = None
    target: Path_


class KeySpec(_RepositoryVerb):
    """Let the password in a second file open the repository, too."""

    new_password_file: Path_


class InspectSpec(_Spec):
    """Count and check-sum a live database."""

    database: DatabaseSpec
    counts: Queries = {}
    checksums: Queries = {}
    deadline_seconds: Annotated[float, Field(gt=0)] = SIX_HOURS_IN_SECONDS


class ForgetSpec(_RepositoryVerb):
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


class CheckSpec(_RepositoryVerb):
    """Check the repository: its structure, and all (`read_data`) or a part n/t (`read_data_subset`) of its data."""

    read_data: bool = False
    read_data_subset: Annotated[str, StringConstraints(pattern=r"^[1-9][0-9]{0,3}/[1-9][0-9]{0,3}$")] | None = None


class CompareSpec(_RepositoryVerb):
    """Compare `sample` of the live files below `paths`, altogether up to `sample_bytes`, with a recovery point: the newest, or `point`."""

    crm: CrmName
    point: PointId | None = None
    paths: Annotated[list[Path_], Field(min_length=1)]
    sample: Annotated[int, Field(ge=1, le=400)] = 200
    sample_bytes: Annotated[int, Field(ge=1)] = 2**29


AnySpec = (
    InitSpec
    | BackupSpec
    | PointsSpec
    | RestoreSpec
    | FilesSpec
    | ReadSpec
    | PreviewSpec
    | PutSpec
    | TablesSpec
    | RestoreTablesSpec
    | InspectSpec
    | ForgetSpec
    | CheckSpec
    | CompareSpec
    | CopySpec
    | BaseSpec
    | BasesSpec
    | StreamSpec
    | ShipSpec
    | RecoverSpec
    | ReplaySpec
    | RelaySpec
    | KeepSpec
    | KeptSpec
    | FetchSpec
    | KeySpec
)
