"""What is asked of a database's log: to be received, shipped, and recovered from."""

from typing import Annotated, Self

from pydantic import AwareDatetime, Field, JsonValue, model_validator

from backup.database_spec import LoggedDatabaseSpec, MariaDBSpec, PostgreSQLSpec
from backup.spec import RepositoryVerb, Spec
from backup.spec_values import CrmName, Path_, PointId, SqlName, UserName, refuse_nested


class BaseSpec(RepositoryVerb):
    """Save the files of a database's cluster while it serves. The log since then makes a database of them: see `stream`.

    `spool` is where that log is received; it need no longer keep what is older. `record` holds facts to keep with it.
    """

    crm: CrmName
    base: PointId
    database: PostgreSQLSpec
    spool: Path_
    record: dict[str, JsonValue] = Field(default_factory=dict)


class RelaySpec(RepositoryVerb):
    """Ship what is received into `spool` into a repository elsewhere, called `name`, until somebody ends it."""

    crm: CrmName
    name: CrmName
    spool: Path_
    ship_every_seconds: Annotated[float, Field(gt=0)] = 60
    deadline_seconds: Annotated[float, Field(ge=0)] = 0


class StreamSpec(RepositoryVerb):
    """Receive the log of a database's cluster into `spool`, and ship it into the repository, until somebody ends it.

    `relays` ship it elsewhere, too.
    """

    crm: CrmName
    database: LoggedDatabaseSpec
    spool: Path_
    slot: SqlName = "crm_backup"
    ship_every_seconds: Annotated[float, Field(gt=0)] = 60
    relays: list[RelaySpec] = Field(default_factory=list)
    deadline_seconds: Annotated[float, Field(ge=0)] = 0

    @model_validator(mode="after")
    def _refuse_what_is_shipped_here_only(self) -> Self:
        if self.relays and isinstance(self.database, MariaDBSpec):
            raise ValueError("relays: a binary log is shipped into one repository; copy that one")
        return self


class ShipSpec(RepositoryVerb):
    """Ship what `spool` holds of a database's log, now. A log that is `ended` is received no more: the server need no longer keep it."""

    crm: CrmName
    spool: Path_
    database: LoggedDatabaseSpec
    slot: SqlName = "crm_backup"
    ended: bool = False


class BasesSpec(RepositoryVerb):
    """List the bases of a CRM, and until when the log of each goes on."""

    crm: CrmName


class FilesBesideSpec(Spec):
    """Files of a recovery point, into new directories; `owner` is the system user that shall own them."""

    point: PointId
    files: Annotated[dict[Path_, Path_], Field(min_length=1)]
    owner: UserName | None = None


class RecoverSpec(RepositoryVerb):
    """Bring a cluster's files back into `target`, the log into `wal`: up to a recovery point, to `at`, or to all that was received.

    `beside` is brought back at the same time, which takes little longer than either.
    """

    crm: CrmName
    point: PointId | None = None
    at: AwareDatetime | None = None
    target: Path_
    wal: Path_
    owner: UserName = "postgres"
    beside: FilesBesideSpec | None = None

    @model_validator(mode="after")
    def _refuse_nested_targets(self) -> Self:
        refuse_nested([self.target, self.wal, *(self.beside.files.values() if self.beside else ())])
        return self

    @model_validator(mode="after")
    def _refuse_two_moments(self) -> Self:
        if self.point and self.at:
            raise ValueError("name a recovery point or a time, not both")
        return self


class ReplaySpec(RepositoryVerb):
    """Bring a MariaDB database back on a server of its own: to the end of the second before `at`, or with all that was received.

    The database is empty and has the name it had; `scratch` is a directory with room for the log since the dump.
    """

    crm: CrmName
    database: MariaDBSpec
    at: AwareDatetime | None = None
    scratch: Path_ = "/var/tmp"  # noqa: S108 - what lies there is in a directory that nobody else may enter
