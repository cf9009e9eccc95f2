"""Alerts and the channels that people are notified by, under /api/v1."""

from datetime import datetime
from typing import Annotated, Self

from fastapi import APIRouter, Response
from pydantic import Field, SecretStr, StrictBool

from appliance.domain.channel import LONGEST_NAME, Channel, Purpose, Severity
from appliance.operations.alerting import read_alerts
from appliance.operations.channels import LONGEST_URL
from appliance.operations.sending import KINDS
from appliance.web import alerts
from appliance.web.api.bodies import Body
from appliance.web.api.refusals import PROBLEMS
from appliance.web.panel import PanelDependency
from appliance.web.sessions import Bearer


class AlertBody(Body):
    """An alert. `state` is pending, firing or resolved; `untold` names the worse alert because of which nobody is told of it."""

    rule: str
    severity: str
    state: str
    labels: dict[str, str]
    summary: str
    description: str
    runbook: str
    since: datetime
    at: datetime | None
    untold: str


class AlertsBody(Body):
    """How alerts stand, and what has changed of late. `evaluated_at` is when the rules were evaluated last; what is old may be wrong."""

    evaluated_at: datetime | None
    standing: list[AlertBody]
    changes: list[AlertBody]


class ChannelBody(Body):
    """Where people are notified. `note` says how the last attempt went, at `noted_at`; after failures it is tried again at `try_at`."""

    name: str
    purpose: Purpose
    service: str
    severities: list[Severity]
    instances: list[str]
    quiet: str
    weekly: bool
    weekly_at: datetime | None
    note: str
    noted_at: datetime | None
    sent: int
    failed: int
    failures: int
    try_at: datetime | None
    created_at: datetime

    @classmethod
    def of(cls, channel: Channel) -> Self:
        """All of it but the address, which is a secret."""
        known = {name: getattr(channel, name) for name in cls.model_fields if name not in ("instances", "quiet")}
        return cls.model_validate(known | {"instances": channel.crms, "quiet": str(channel.quiet or "")})


class NewChannelBody(Body):
    """One that is to be notified."""

    name: Annotated[str, Field(max_length=LONGEST_NAME)]
    url: Annotated[SecretStr, Field(max_length=LONGEST_URL, description=KINDS)]
    purpose: Purpose = Purpose.ALERTS
    severities: tuple[Severity, ...] = ()
    instances: tuple[str, ...] = ()
    quiet: Annotated[str, Field(max_length=20, description="Hours in which warnings wait, as 22:00-06:30")] = ""
    zone: Annotated[str, Field(max_length=60)] = "UTC"
    weekly: Annotated[StrictBool, Field(description="Whether it is sent the digest of each week, too")] = False


router = APIRouter(prefix="/api/v1", responses=PROBLEMS)


@router.get("/alerts")
def list_alerts(panel: PanelDependency, _: Bearer) -> AlertsBody:
    """Give what fires and what is about to, the most severe first."""
    return AlertsBody.model_validate(read_alerts(panel.appliance))


@router.get("/notifications")
def list_channels(panel: PanelDependency, _: Bearer) -> list[ChannelBody]:
    """Give the channels, by name."""
    return [ChannelBody.of(channel) for channel in panel.appliance.store.channels.list()]


@router.post("/notifications", status_code=201)
def add_channel(panel: PanelDependency, principal: Bearer, body: NewChannelBody, response: Response) -> ChannelBody:
    """Notify by mail, chat, webhook or push from now on."""
    made = alerts.add(
        panel,
        principal,
        name=body.name,
        url=body.url.get_secret_value(),
        purpose=body.purpose,
        severities=body.severities,
        crms=body.instances,
        quiet=body.quiet,
        zone=body.zone,
        weekly=body.weekly,
    )
    response.headers["Location"] = "/api/v1/notifications"
    return ChannelBody.of(made)


@router.post("/notifications/{name}/test", status_code=204)
def test_channel(panel: PanelDependency, principal: Bearer, name: str) -> None:
    """Send a message that says it is a test."""
    alerts.test(panel, principal, name)


@router.delete("/notifications/{name}", status_code=204)
def remove_channel(panel: PanelDependency, principal: Bearer, name: str) -> None:
    """Notify there no longer; the address is forgotten."""
    alerts.remove(panel, principal, name)
