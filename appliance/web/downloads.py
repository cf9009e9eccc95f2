"""Give out what is in a recovery point, to browsers and programs alike."""

from collections.abc import AsyncIterator
from typing import Annotated
from urllib.parse import quote

import anyio.to_thread
from fastapi import Depends, Query
from fastapi.responses import StreamingResponse
from starlette.types import Receive, Scope, Send

from appliance.domain.instance import RecoveryPoint
from appliance.hosts.reading import Reading
from appliance.operations.browsing import Comparison, Download, Form, Listing, Wanted, compare_files, list_files, list_tables, open_download
from appliance.operations.foreseeing import Loss, foresee_loss
from appliance.web.access import Principal
from appliance.web.panel import Panel

RIGHT = "files"


def place_of(
    name: str,
    point: Annotated[str, Query(description="A recovery point; the newest one if left out")] = "",
    path: Annotated[str, Query(description="Inside the CRM's uploads; all of them if left out")] = "",
    repository: Annotated[str, Query(description="A repository elsewhere to read from")] = "",
) -> Wanted:
    """The place among a CRM's uploads that an address means."""
    return Wanted(instance=name, point=point or None, path=path, repository=repository or None)


Place = Annotated[Wanted, Depends(place_of)]


class DownloadResponse(StreamingResponse):
    """Passes on piece by piece. Whoever goes away ends the program it comes from; what breaks off in between never looks complete."""

    def __init__(self, download: Download) -> None:
        headers = {"Content-Disposition": disposition(download.name), "Cache-Control": "no-store"}
        if download.size is not None:
            headers["Content-Length"] = str(download.size)
        super().__init__(_pieces(download.reading), headers=headers, media_type="application/octet-stream")
        self.reading = download.reading

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send it, and end the program in any case."""
        try:
            await super().__call__(scope, receive, send)
        finally:
            self.reading.close()


def disposition(name: str) -> str:
    r"""Have a browser keep it under that name, whatever the name is (RFC 6266).

    >>> disposition('é"\r\nSet-Cookie: x')
    "attachment; filename*=UTF-8''%C3%A9%22%0D%0ASet-Cookie%3A%20x"
    """
    return f"attachment; filename*=UTF-8''{quote(name, safe='')}"


async def _pieces(reading: Reading) -> AsyncIterator[bytes]:
    """A visitor who goes away is not waited for: the thread that still reads ends with the program."""
    while piece := await anyio.to_thread.run_sync(reading.piece, abandon_on_cancel=True):
        yield piece


def look(panel: Panel, principal: Principal, wanted: Wanted, *, after: int) -> Listing:
    """List a place. Raises Forbidden and what `list_files` raises."""
    principal.demand(RIGHT, wanted.instance)
    return list_files(panel.appliance, wanted, after=after)


def foresee(panel: Panel, principal: Principal, wanted: Wanted) -> Loss:
    """Look what a restore in place would leave behind. Raises Forbidden and what `foresee_loss` raises."""
    principal.demand("restore", wanted.instance)
    return foresee_loss(panel.appliance, wanted.instance, point=wanted.point, repository=wanted.repository)


def compare(panel: Panel, principal: Principal, wanted: Wanted) -> Comparison:
    """Look what restoring it would change. Raises Forbidden and what `compare_files` raises."""
    principal.demand("restore-files", wanted.instance)
    return compare_files(panel.appliance, wanted)


def tables(panel: Panel, principal: Principal, wanted: Wanted) -> tuple[RecoveryPoint, list[str]]:
    """List the tables of a recovery point. Raises Forbidden and what `list_tables` raises."""
    principal.demand("restore-tables", wanted.instance)
    return list_tables(panel.appliance, wanted)


def give_out(panel: Panel, principal: Principal, wanted: Wanted, *, form: Form) -> DownloadResponse:
    """Begin a download. Raises Forbidden and what `open_download` raises."""
    principal.demand(RIGHT, wanted.instance)
    return DownloadResponse(open_download(panel.appliance, wanted, form=form, requested_by=principal.name, now=panel.clock()))
