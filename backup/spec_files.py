"""What is asked for parts of a recovery point: its files, and single tables."""

from itertools import pairwise
from typing import Annotated, Literal, Self

from pydantic import Field, StringConstraints, model_validator

from backup.database_spec import PostgreSQLSpec
from backup.spec import RepositoryVerb
from backup.spec_values import CrmName, InnerPath, Path_, PointId, SqlName, UserName


class _HeldSpec(RepositoryVerb):
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


class PutSpec(RepositoryVerb):
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


class TablesSpec(RepositoryVerb):
    """List the tables that a recovery point's dump holds."""

    point: PointId
    crm: CrmName | None = None


class RestoreTablesSpec(RepositoryVerb):
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
