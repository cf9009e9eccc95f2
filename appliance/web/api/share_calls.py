"""Links that show an operation's log, redacted, under /api/v1."""

from datetime import datetime
from typing import Annotated, Self

from fastapi import APIRouter, Path
from pydantic import Field

from appliance.domain.shared_log import FEWEST_DAYS, MOST_DAYS, USUAL_DAYS, Share
from appliance.store.shares import ID_LENGTH
from appliance.web import sharing
from appliance.web.api.bodies import Body
from appliance.web.api.refusals import BUSY, PROBLEMS
from appliance.web.panel import OperationDependency, PanelDependency
from appliance.web.sessions import Bearer

router = APIRouter(prefix="/api/v1/operations/{operation_id}/shares", responses=PROBLEMS)


class NewShareBody(Body):
    """How long a link is to last."""

    days: Annotated[int, Field(ge=FEWEST_DAYS, le=MOST_DAYS)] = USUAL_DAYS


class ShareBody(Body):
    """A link; where it leads is told once, when it is made."""

    id: str
    by: str
    at: datetime
    until: datetime

    @classmethod
    def of(cls, share: Share) -> Self:
        """All that is kept of it."""
        return cls(id=share.id, by=share.by, at=share.at, until=share.until)


class MadeShareBody(ShareBody):
    """A link that was made just now, with where it leads."""

    url: str


@router.get("")
def list_shares(panel: PanelDependency, principal: Bearer, operation: OperationDependency) -> list[ShareBody]:
    """Give the links that last, the newest first."""
    return [ShareBody.of(one) for one in sharing.shares_of(panel, principal, operation)]


@router.post("", status_code=201, responses=BUSY)
def share(panel: PanelDependency, principal: Bearer, operation: OperationDependency, body: NewShareBody) -> MadeShareBody:
    """Make a link that shows the log of an operation that has ended, without secrets, names and addresses, and without a log-in."""
    url, made = sharing.share(panel, principal, operation, body.days)
    return MadeShareBody(**vars(ShareBody.of(made)), url=url)


@router.delete("/{share_id}", status_code=204)
def revoke(
    panel: PanelDependency, principal: Bearer, operation: OperationDependency, share_id: Annotated[str, Path(max_length=ID_LENGTH)]
) -> None:
    """Let a link open nothing from now on."""
    sharing.revoke(panel, principal, operation, share_id)
