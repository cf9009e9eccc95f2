"""The files and tables of recovery points under /api/v1."""

from datetime import datetime
from typing import Annotated, Self

from fastapi import APIRouter, Query, Response

from appliance.operations.browsing import Comparison, Form, Listing
from appliance.operations.foreseeing import Loss
from appliance.web import downloads
from appliance.web.api.bodies import Body
from appliance.web.api.refusals import BUSY, PROBLEMS
from appliance.web.downloads import Place
from appliance.web.panel import LARGEST_ID, PanelDependency
from appliance.web.sessions import Bearer


class FileBody(Body):
    """A file, directory (`dir`), link (`symlink`) or other thing of a recovery point; `size` is in bytes."""

    name: str
    kind: str
    size: int
    modified: datetime
    permissions: str


class FilesBody(Body):
    """What is at a place, and a page of what is in it. `next` is the `after` of the next page, null on the last one."""

    point: str
    path: str
    kind: str
    size: int
    count: int
    entries: list[FileBody]
    next: int | None

    @classmethod
    def of(cls, listing: Listing) -> Self:
        """All of it."""
        plain = {name: getattr(listing, name) for name in ("path", "kind", "size", "count")}
        entries = [FileBody.model_validate(entry) for entry in listing.entries]
        return cls(**plain, point=listing.point.id, entries=entries, next=listing.next_after)


class ComparisonBody(Body):
    """How many files at a place are new, changed or the same as in the CRM that serves, and the first of the new and changed ones.

    `gone` are there now and not in the recovery point; `restore-files` leaves them. `bytes` is how much restoring would write.
    """

    point: str
    path: str
    new: int
    changed: int
    same: int
    gone: int
    bytes: int
    named: dict[str, list[str]]


class LossBody(Body):
    """What a restore in place would leave behind, in words; and what it would do to the files, null where they could not be compared."""

    point: str
    records: str
    uploads: str
    files: ComparisonBody | None

    @classmethod
    def of(cls, loss: Loss) -> Self:
        """All of it."""
        files = None if loss.files is None else _compared(loss.files, "")
        return cls(point=loss.point.id, records=loss.records, uploads=loss.uploads, files=files)


class TablesBody(Body):
    """The tables that a recovery point's dump holds, with their schema where it is not `public`."""

    point: str
    tables: list[str]


router = APIRouter(prefix="/api/v1", responses=PROBLEMS)


@router.get("/instances/{name}/files")
def list_files(panel: PanelDependency, principal: Bearer, place: Place, after: Annotated[int, Query(ge=0, le=LARGEST_ID)] = 0) -> FilesBody:
    """Look at the files that a recovery point holds."""
    return FilesBody.of(downloads.look(panel, principal, place, after=after))


@router.get("/instances/{name}/files/comparison", responses=BUSY)
def compare_files(panel: PanelDependency, principal: Bearer, place: Place) -> ComparisonBody:
    """Look what an operation `restore-files` would change; its parameters are `point`, `paths`, `beside` and `repository`."""
    return _compared(downloads.compare(panel, principal, place), place.path)


@router.get("/instances/{name}/loss", responses=BUSY)
def show_loss(panel: PanelDependency, principal: Bearer, place: Place) -> LossBody:
    """Look what an operation `restore` would leave behind: what was entered and uploaded since the recovery point."""
    return LossBody.of(downloads.foresee(panel, principal, place))


@router.get("/instances/{name}/tables")
def list_tables(panel: PanelDependency, principal: Bearer, place: Place) -> TablesBody:
    """Look which tables an operation `restore-tables` can restore; its parameters are `point`, `tables` and `repository`."""
    point, tables = downloads.tables(panel, principal, place)
    return TablesBody(point=point.id, tables=tables)


@router.get("/instances/{name}/files/content", response_class=Response)
def get_content(panel: PanelDependency, principal: Bearer, place: Place, form: Annotated[Form, Query(alias="as")] = "tar") -> Response:
    """Give out a file, or a directory as an archive; it is audited. What breaks off is shorter than it says, or ends without its end."""
    return downloads.give_out(panel, principal, place, form=form)


def _compared(found: Comparison, path: str) -> ComparisonBody:
    return ComparisonBody(**{**vars(found), "point": found.point.id, "path": path})
