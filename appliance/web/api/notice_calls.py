"""The notices of the status page under /api/v1, and which CRMs it shows."""

from datetime import datetime
from typing import Annotated, Self

from fastapi import APIRouter, Path, Query
from pydantic import Field

from appliance.domain.notice import LONGEST, Notice, read_notice
from appliance.web.api.bodies import ApprovalBody, Body
from appliance.web.api.calls import PROBLEMS
from appliance.web.panel import LARGEST_ID, PanelDependency
from appliance.web.sessions import Bearer


class NewNoticeBody(Body):
    """What the users of a CRM are to know."""

    instance: str
    text: Annotated[str, Field(min_length=1, max_length=LONGEST)]


class NoticeBody(NewNoticeBody):
    """The same, with who wrote it when."""

    id: int
    at: datetime
    by: str

    @classmethod
    def of(cls, notice: Notice) -> Self:
        """All of it."""
        return cls.model_validate(vars(notice))


class PublicationBody(ApprovalBody):
    """Whether the status page shows a CRM."""


router = APIRouter(prefix="/api/v1", responses=PROBLEMS)


@router.post("/instances/{name}/publication", status_code=204)
def publish(panel: PanelDependency, principal: Bearer, name: str, body: PublicationBody) -> None:
    """Show a CRM on the page /status, which needs no log in, or no longer."""
    principal.demand("publish")
    panel.appliance.store.instances.publish(name, wanted=body.wanted, by=principal.name, now=panel.clock())


@router.get("/notices")
def list_notices(panel: PanelDependency, _: Bearer, instance: Annotated[str | None, Query(max_length=64)] = None) -> list[NoticeBody]:
    """Give the notices of one CRM or of all, newest first."""
    return [NoticeBody.of(one) for one in panel.appliance.store.notices.list(instance)]


@router.post("/notices", status_code=201)
def add_notice(panel: PanelDependency, principal: Bearer, body: NewNoticeBody) -> NoticeBody:
    """Tell the users of a CRM something."""
    principal.demand("notice")
    store, text = panel.appliance.store, read_notice(body.text)
    store.instances.get(body.instance)
    at = panel.clock()
    number = store.notices.add(body.instance, text, by=principal.name, now=at)
    return NoticeBody(id=number, instance=body.instance, at=at, by=principal.name, text=text)


@router.delete("/notices/{notice_id}", status_code=204)
def remove_notice(panel: PanelDependency, principal: Bearer, notice_id: Annotated[int, Path(ge=1, le=LARGEST_ID)]) -> None:
    """Take a notice back."""
    principal.demand("notice")
    panel.appliance.store.notices.remove(notice_id, by=principal.name, now=panel.clock())
