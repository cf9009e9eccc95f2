"""What needs attention, under /api/v1, and putting it out of sight for a while."""

from datetime import datetime, timedelta
from typing import Annotated, Literal, Self

from fastapi import APIRouter, Path
from pydantic import Field

from appliance.domain.objectives import read_length
from appliance.domain.snooze import Snooze
from appliance.web import looking
from appliance.web.api.bodies import Body
from appliance.web.api.refusals import PROBLEMS
from appliance.web.attention import Attention
from appliance.web.panel import PanelDependency
from appliance.web.sessions import Bearer

LONGEST_KEY = 256


class AttentionBody(Body):
    """One thing to look at; `mends` is the kind of operation that mends it at once, and empty where there is none."""

    key: str
    subject: str
    severity: Literal["red", "orange", "yellow"]
    text: str
    address: Annotated[str, Field(description="The page of the panel that leads there")]
    mends: str
    snoozed_until: datetime | None
    snoozed_by: str

    @classmethod
    def of(cls, item: Attention, snooze: Snooze | None) -> Self:
        """All of it."""
        known = {name: value for name, value in vars(item).items() if name in cls.model_fields}
        asleep = {"snoozed_until": snooze.until if snooze else None, "snoozed_by": snooze.by if snooze else ""}
        return cls.model_validate(known | asleep)


class SnoozeBody(Body):
    """What is to be out of sight, and for how long."""

    key: Annotated[str, Field(min_length=1, max_length=LONGEST_KEY)]
    length: Annotated[str, Field(max_length=16, description="From 1m to 7d, as 4h; what is red, to 1d")] = "1d"


router = APIRouter(prefix="/api/v1", responses=PROBLEMS)


@router.get("/attention")
def list_attention(panel: PanelDependency, _: Bearer) -> list[AttentionBody]:
    """Give what needs attention, the worst first, and then what is snoozed."""
    return [AttentionBody.of(item, snooze) for item, snooze in looking.look(panel.appliance, panel.clock()).everything]


@router.post("/attention/snoozes", status_code=204)
def snooze(panel: PanelDependency, principal: Bearer, body: SnoozeBody) -> None:
    """Put something out of sight."""
    length = read_length(body.length, "length") or timedelta()
    looking.snooze(panel.appliance, principal, body.key, length, panel.clock())


@router.delete("/attention/snoozes/{key}", status_code=204)
def wake(panel: PanelDependency, principal: Bearer, key: Annotated[str, Path(max_length=LONGEST_KEY)]) -> None:
    """Have something in sight again."""
    looking.wake(panel.appliance, principal, key, panel.clock())
