"""The notices of the status page under /api/v1, and which CRMs it shows."""

from datetime import datetime
from typing import Annotated, Self

from fastapi import APIRouter, Path, Query
from pydantic import Field

from appliance.domain.notice import LONGEST, Notice
from appliance.operations import noticing
from appliance.web.api.bodies import ApprovalBody, Body, InstanceBody, Moment
from appliance.web.api.paging import InstanceQuery, PageQuery, PagingDependency, below
from appliance.web.api.refusals import PROBLEMS
from appliance.web.api.tags import UNMET, PreconditionDependency
from appliance.web.panel import LARGEST_ID, PanelDependency
from appliance.web.sessions import Bearer
from monitoring.ledger import Outage


class NewNoticeBody(Body):
    """What the users of a CRM are to know."""

    instance: str
    text: Annotated[str, Field(min_length=1, max_length=LONGEST)]
    outage_at: Annotated[Moment | None, Field(description="When the outage began that it is about, to the second")] = None


class NoticeBody(NewNoticeBody):
    """The same, with who wrote it when."""

    id: int
    at: datetime
    by: str

    @classmethod
    def of(cls, notice: Notice) -> Self:
        """All of it."""
        return cls.model_validate(vars(notice))


class OutageBody(Body):
    """A time in which a CRM was down, for as long as `length_seconds` was seen; `ended_at` is null while it lasts."""

    started_at: datetime
    ended_at: datetime | None
    length_seconds: float
    cause: str
    reason: str

    @classmethod
    def of(cls, outage: Outage) -> Self:
        """All of it."""
        known = {name: value for name, value in vars(outage).items() if name in cls.model_fields}
        return cls.model_validate(known | {"length_seconds": outage.length.total_seconds()})


class PublicationBody(ApprovalBody):
    """Whether the status page shows a CRM."""


router = APIRouter(prefix="/api/v1", responses=PROBLEMS)


@router.post("/instances/{name}/publication", status_code=204, responses=UNMET)
def publish(panel: PanelDependency, principal: Bearer, name: str, body: PublicationBody, still: PreconditionDependency) -> None:
    """Show a CRM on the page /status, which needs no log in, or no longer."""
    principal.demand("publish")
    with still.on(lambda: InstanceBody.of(panel.appliance.store.instances.get(name))):
        panel.appliance.store.instances.publish(name, wanted=body.wanted, by=principal.name, now=panel.clock())


@router.get("/instances/{name}/outages")
def list_outages(
    panel: PanelDependency, _: Bearer, name: str, asked: Annotated[PageQuery, Query()], paging: PagingDependency
) -> list[OutageBody]:
    """Give when a CRM was seen to be down, newest first, a page at a time."""
    rows = below(noticing.list_outages(panel.appliance, name), _began, asked.after(datetime))
    return [OutageBody.of(one) for one in paging.cut(asked, rows, _began)]


def _began(outage: Outage) -> tuple[datetime]:
    return (outage.started_at,)


@router.get("/notices")
def list_notices(panel: PanelDependency, _: Bearer, asked: Annotated[InstanceQuery, Query()], paging: PagingDependency) -> list[NoticeBody]:
    """Give the notices of one CRM or of all, newest first, a page at a time."""
    rows = panel.appliance.store.notices.list(asked.instance, below=asked.after(datetime, int), limit=asked.rows)
    return [NoticeBody.of(one) for one in paging.cut(asked, rows, lambda row: (row.at, row.id))]


@router.post("/notices", status_code=201)
def add_notice(panel: PanelDependency, principal: Bearer, body: NewNoticeBody) -> NoticeBody:
    """Tell the users of a CRM something."""
    principal.demand("notice")
    outage = body.outage_at.isoformat() if body.outage_at else ""
    made = noticing.add_notice(panel.appliance, body.instance, body.text, outage=outage, by=principal.name, now=panel.clock())
    return NoticeBody.of(made)


@router.delete("/notices/{notice_id}", status_code=204)
def remove_notice(panel: PanelDependency, principal: Bearer, notice_id: Annotated[int, Path(ge=1, le=LARGEST_ID)]) -> None:
    """Take a notice back."""
    principal.demand("notice")
    panel.appliance.store.notices.remove(notice_id, by=principal.name, now=panel.clock())
