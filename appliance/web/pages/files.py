"""The files of a recovery point: look at them, download one or a folder, or restore them."""

from collections.abc import Mapping
from typing import Annotated
from urllib.parse import urlencode

from fastapi import APIRouter, Query, Response

from appliance.domain.operation import Operation
from appliance.operations.browsing import Form, Wanted
from appliance.web import downloads
from appliance.web.access import Principal
from appliance.web.confirming import confirmed, doing
from appliance.web.downloads import Place
from appliance.web.errors import Problem
from appliance.web.pages.backups import is_gone
from appliance.web.panel import LARGEST_ID, Panel, PanelDependency
from appliance.web.requesting import check_typed_name, send, send_or_show
from appliance.web.sessions import Form as Submitted
from appliance.web.sessions import LoggedIn, Submission

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
        is_there=not is_gone(store, place.instance),
        folders=folders_above(place.path),
        repository=place.repository or "",
        repositories=store.repositories.list(),
        points=store.points.list(place.instance),
    )


@router.get("/download")
def download(panel: PanelDependency, principal: LoggedIn, place: Place, form: Annotated[Form, Query(alias="as")] = "tar") -> Response:
    """Give out a file, or a folder as an archive."""
    return downloads.give_out(panel, principal, place, form=form)


@router.get("/restore")
def show_restore(panel: PanelDependency, principal: LoggedIn, place: Place) -> Response:
    """Show what restoring it would change."""
    return _restore_form(panel, principal, place, {})


@router.post("/restore")
def restore(panel: PanelDependency, form: Submitted, place: Place) -> Response:
    """Request it. The place is in the address, since a field of a form would not keep every name as it is."""
    if form.text("way") != "beside":
        form.principal.demand("restore-files", place.instance)
        form = confirmed(
            panel, form, what=doing("restore files of %(name)s in place", name=place.instance[:64]), back=f"/backups/{place.instance}/files"
        )
    return send_or_show(
        lambda: _send_restore(panel, form, place), lambda problem: _restore_form(panel, form.principal, place, form.fields, problem)
    )


def _send_restore(panel: Panel, form: Submission, place: Wanted) -> Operation:
    form.principal.demand("restore-files", place.instance)
    beside = form.text("way") == "beside"
    if not beside:
        check_typed_name(form.text("confirmation"), place.instance)
    wanted = {"point": place.point, "paths": [place.path], "beside": beside, "repository": place.repository}
    return send(panel, form.principal, "restore-files", place.instance, wanted)


def _restore_form(panel: Panel, principal: Principal, place: Wanted, values: Mapping[str, str], problem: Problem | None = None) -> Response:
    found = downloads.compare(panel, principal, place)
    asked = urlencode({"point": found.point.id, "repository": place.repository or "", "path": place.path})
    files = f"/backups/{place.instance}/files"
    return panel.pages.page(
        "restore_files.html",
        status=problem.status if problem else 200,
        principal=principal,
        section="/backups",
        instance=panel.appliance.store.instances.get(place.instance),
        place=place,
        point=found.point,
        found=found,
        way=values.get("way", "in_place"),
        address=f"{files}?{asked}",
        action=f"{files}/restore?{asked}",
        problem=problem,
    )


def folders_above(path: str) -> list[tuple[str, str]]:
    """The folders on the way to a place, and itself: the path and the name of each.

    >>> folders_above("2026/may")
    [('2026', '2026'), ('2026/may', 'may')]
    """
    names = path.split("/") if path else []
    return [("/".join(names[: number + 1]), name) for number, name in enumerate(names)]
