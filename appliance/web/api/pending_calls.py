"""What is pending, under /api/v1."""

from collections.abc import Sequence
from typing import Annotated

from fastapi import APIRouter, Query
from pydantic import Field

from appliance.domain.pending import Pending
from appliance.operations.pending import look, subjects_of
from appliance.web.api.bodies import Body
from appliance.web.api.paging import PageQuery, PagingDependency
from appliance.web.api.refusals import PROBLEMS
from appliance.web.panel import PanelDependency
from appliance.web.sessions import Bearer

router = APIRouter(prefix="/api/v1/pending", responses=PROBLEMS)


class LookBody(Body):
    """Whom to ask."""

    subjects: Annotated[
        list[str] | None, Field(max_length=1000, description="Names of instances, or host:NAME; null asks for all of them")
    ] = None


@router.get("")
def list_pending(panel: PanelDependency, _: Bearer, asked: Annotated[PageQuery, Query()], paging: PagingDependency) -> Sequence[Pending]:
    """Give what was found when each instance and host was asked last, by subject, a page at a time.

    An answer with problems does not say that nothing is pending.
    """
    (after,) = asked.after(str) or ("",)
    return paging.cut(asked, panel.appliance.store.pending.list(after=after, limit=asked.rows), lambda row: (row.subject,))


@router.post("")
def look_for_pending(panel: PanelDependency, principal: Bearer, body: LookBody) -> list[Pending]:
    """Ask now. It takes as long as feeds, package index and hosts take to answer."""
    principal.demand("look")
    wanted = subjects_of(panel.appliance) if body.subjects is None else body.subjects
    return look(panel.appliance, wanted, now=panel.clock())
