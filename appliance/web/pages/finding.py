"""Find something by its name: a page of its own, and what the palette of the other pages shows."""

from typing import Annotated

from fastapi import APIRouter, Query, Response

from appliance.web.finding import find
from appliance.web.panel import PanelDependency
from appliance.web.sessions import LoggedIn

LONGEST = 100

router = APIRouter(include_in_schema=False)


@router.get("/find")
def show(panel: PanelDependency, principal: LoggedIn, q: Annotated[str, Query()] = "") -> Response:
    """Show what has the words; of a query that is too long, of its beginning."""
    query = q[:LONGEST]
    return panel.pages.page("find.html", principal=principal, section="", query=query, found=find(panel.appliance.store, principal, query))
