"""What the API takes and gives."""

import re
from datetime import datetime
from typing import Annotated, Any, Self

from pydantic import AwareDatetime, BaseModel, BeforeValidator, ConfigDict, Field, StrictBool, field_validator

from appliance.domain.instance import Instance, RecoveryPoint
from appliance.domain.objectives import written, written_latency, written_share
from appliance.domain.operation import Operation, OperationStatus, StepStatus
from appliance.domain.tls import TlsMode
from appliance.operations.drilled import Drill
from appliance.operations.previewing import Preview
from appliance.operations.workflows import WORKFLOWS
from appliance.store.logs import LogLine
from appliance.web.api.paging import PageQuery

MOMENT = re.compile(r"\d{4}-\d\d-\d\d[T ]")


class Body(BaseModel):
    """Read from the appliance's own records by attribute."""

    model_config = ConfigDict(from_attributes=True, extra="forbid")


def _as_moment(value: object) -> object:
    """The seconds since 1970, which the parser would take too, are no moment here."""
    if isinstance(value, datetime) or (isinstance(value, str) and MOMENT.match(value)):
        return value
    raise ValueError("a moment is written as 2026-11-22T14:05:00Z")


Moment = Annotated[AwareDatetime, BeforeValidator(_as_moment)]
"""As a program gives it."""


class TlsBody(Body):
    """How visitors of a CRM are protected; `not_after` is until when its certificate is valid, where that is known."""

    model_config = ConfigDict(from_attributes=True, extra="ignore")

    mode: TlsMode
    hsts: bool
    certificate: str
    not_after: datetime | None


class AuthorityBody(Body):
    """The certificate (PEM) of the authority that the appliance keeps, for those who are to trust it."""

    certificate: str
    not_after: datetime


Promise = Annotated[str, Field(max_length=8)]


class NewObjectivesBody(Body):
    """What is to be promised of a CRM. Lengths as 90m, 24h or 2d; empty for no promise.

    `rpo`: no more than the changes of so long may be lost; `rto`: it is back in service after so long. `availability`: the share of 30 days
    that it serves, in per cent, as 99.5, which is also what is expected without a promise; `latency_share` of the probes, in per cent,
    are answered within `latency`, as 800ms or 2s; without a promise, 95 within 2s.
    """

    rpo: Promise = ""
    rto: Promise = ""
    availability: Promise = ""
    latency: Promise = ""
    latency_share: Promise = ""


class ObjectivesBody(NewObjectivesBody):
    """What is promised of a CRM, as it is written when it is promised."""

    _lengths = field_validator("rpo", "rto", mode="before")(written)
    _shares = field_validator("availability", "latency_share", mode="before")(written_share)
    _latency = field_validator("latency", mode="before")(written_latency)


class ClosureBody(Body):
    """Who has turned a CRM's visitors away, since when, and what they are told."""

    message: str
    by: str
    at: datetime


class InstanceBody(Body):
    """One CRM."""

    model_config = ConfigDict(from_attributes=True, extra="ignore")

    name: str
    product: str
    release: str
    series: str
    state: str
    url: str
    host: str
    tls: TlsBody
    settings: dict[str, Any]
    created_at: datetime
    asks_approval: bool
    is_public: bool
    measures_adoption: bool
    objectives: ObjectivesBody
    closed: ClosureBody | None

    @classmethod
    def of(cls, instance: Instance) -> Self:
        """Without where it lies on its host."""
        return cls.model_validate(instance)


class ApprovalBody(Body):
    """Whether a second person has to agree to what changes a CRM."""

    wanted: StrictBool


class RecoveryPointBody(Body):
    """A moment to go back to; `proven_at` is null while it was never restored."""

    id: str
    instance: str
    at: datetime
    proven_at: datetime | None
    record: dict[str, Any]

    @classmethod
    def of(cls, point: RecoveryPoint) -> Self:
        """With its record as the repository holds it."""
        return cls(id=point.id, instance=point.instance, at=point.at, proven_at=point.proven_at, record=dict(point.record))


class PreviewedBody(Body):
    """A recovery point that would be kept for these reasons, or given up where there is none."""

    point: str
    at: datetime
    reasons: list[str]


class PreviewBody(Body):
    """What retention would do now; `refused` says why it would give up nothing all the same, and is empty otherwise."""

    points: list[PreviewedBody]
    refused: str

    @classmethod
    def of(cls, preview: Preview) -> Self:
        """Newest first."""
        points = [PreviewedBody(point=one.point.id, at=one.point.at, reasons=list(one.reasons)) for one in preview.points]
        return cls(points=points, refused=preview.refused)


class DrillBody(Body):
    """A drill that has ended. `rto_seconds` is how long it took until the copy was in service; null, as the data's age, without a proof."""

    operation: int
    instance: str
    at: datetime
    status: OperationStatus
    point: str | None
    way: str
    repository: str
    rto_seconds: float | None
    data_age_seconds: float | None

    @classmethod
    def of(cls, drill: Drill) -> Self:
        """With what it measured."""
        of_operation = {
            "instance": drill.operation.instance,
            "status": drill.operation.status,
            "point": drill.operation.parameters.get("point"),
        }
        rto, age = (None if length is None else length.total_seconds() for length in (drill.took, drill.data_age))
        told = {"at": drill.at, "way": drill.way, "repository": drill.repository, "rto_seconds": rto, "data_age_seconds": age}
        return cls(operation=drill.operation.id, **of_operation, **told)


class StepBody(Body):
    """A step of an operation."""

    name: str
    title: str
    status: StepStatus
    started_at: datetime | None
    finished_at: datetime | None
    detail: str | None


class TransferBody(Body):
    """How far a step has come that moves bytes; `stage` is what it moves. What nobody knows is null, and a total may be an estimate."""

    stage: str
    bytes_done: int
    bytes_total: int | None
    bytes_per_second: int | None
    seconds_left: int | None


class OperationBody(Body):
    """An operation; `percent` is 0 to 100, `refused` says that a check before the first change said no.

    `awaits_approval` says that it begins when somebody else agrees. `transfer` is null unless the step that runs moves bytes.
    """

    id: int
    kind: str
    instance: str
    parameters: dict[str, Any]
    status: OperationStatus
    requested_by: str
    requested_at: datetime
    started_at: datetime | None
    finished_at: datetime | None
    cause: str | None
    refused: bool
    next_action: str | None
    percent: int
    cancel_requested: bool
    steps: list[StepBody]
    outcome: dict[str, Any]
    awaits_approval: bool
    approved_by: str | None
    transfer: TransferBody | None

    @classmethod
    def of(cls, operation: Operation) -> Self:
        """As the journal knows it."""
        return cls.model_validate(operation)


class OperationsBody(Body):
    """Operations, newest first; `next` is the `cursor` of the next page, or null at the end."""

    operations: list[OperationBody]
    next: str | None


class OperationsQuery(PageQuery):
    """Which operations are asked for: those requested from `since` on, and before `until`."""

    instance: str | None = None
    kind: str | None = None
    status: Annotated[list[OperationStatus], Field(default_factory=list)]
    since: Moment | None = None
    until: Moment | None = None


class LogLineBody(Body):
    """A line of an operation's log."""

    id: int
    at: datetime
    step: str | None
    text: str

    @classmethod
    def of(cls, line: LogLine) -> Self:
        """As the journal knows it."""
        return cls.model_validate(line)


class LogBody(Body):
    """Lines, oldest first; send `last` as `after` to get those that follow."""

    lines: list[LogLineBody]
    last: int


class RequestBody(Body):
    """A request of an operation."""

    kind: Annotated[
        str,
        Field(
            max_length=32,
            description="One of " + ", ".join(sorted(WORKFLOWS)),
        ),
    ]
    instance: Annotated[str, Field(max_length=64, description="A CRM, or `host:NAME` for a host itself")]
    parameters: dict[str, Any] = {}
