"""The files of a recovery point: look at them, and download one or a folder."""

from typing import Annotated

from fastapi import APIRouter, Query, Response

from appliance.operations.browsing import Form
from appliance.web import downloads
from appliance.web.downloads import Place
from appliance.web.panel import LARGEST_ID, PanelDependency
from appliance.web.sessions import LoggedIn

router = APIRouter(prefix="/backups/{name}/files", include_in_schema=False)


@router.get("")
def browse(panel: PanelDependency, principal: LoggedIn, place: Place, after: Annotated[int, Query(ge=0, le=LARGEST_ID)] = 0) -> Response:
    """Show what is in a folder."""
    listing = downloads.look(panel, principal, place, after=after)
    store = panel.appliance.store
    return panel.pages.page(
        "files.html",
        principal=principal,
        section="/backups",
        name=place.instance,
        listing=listing,
        folders=folders_above(place.path),
        repository=place.repository or "",
        repositories=store.repositories.list(),
        points=store.points.list(place.instance),
    )


@router.get("/download")
def download(panel: PanelDependency, principal: LoggedIn, place: Place, form: Annotated[Form, Query(alias="as")] = "tar") -> Response:
    """Give out a file, or a folder as an archive."""
    return downloads.give_out(panel, principal, place, form=form)


def folders_above(path: str) -> list[tuple[str, str]]:
    """The folders on the way to a place, and itself: the path and the name of each.

    >>> folders_above("2026/may")
    [('2026', '2026'), ('2026/may', 'may')]
    """
    names = path.split("/") if path else []
    return [("/".join(names[: number + 1]), name) for number, name in enumerate(names)]
