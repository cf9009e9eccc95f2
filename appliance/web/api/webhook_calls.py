"""Webhooks, under /api/v1: where programs are told what happens."""

from datetime import datetime
from typing import Annotated, Self

from fastapi import APIRouter, Query, Response
from pydantic import Field

from appliance.domain.channel import LONGEST_NAME
from appliance.domain.event import TYPES
from appliance.domain.webhook import LONGEST_URL, Delivery, DeliveryStatus, Webhook
from appliance.web import webhooks
from appliance.web.api.bodies import Body
from appliance.web.api.paging import PageQuery, PagingDependency
from appliance.web.api.refusals import PROBLEMS
from appliance.web.panel import PanelDependency
from appliance.web.sessions import Bearer


class NewWebhookBody(Body):
    """One that is to be told what happens."""

    name: Annotated[str, Field(max_length=LONGEST_NAME)]
    url: Annotated[str, Field(max_length=LONGEST_URL, description="https://… or http://…, without name and password")]
    events: Annotated[list[str], Field(default_factory=list, max_length=100, description="All for none; of " + ", ".join(TYPES))]


class WebhookBody(Body):
    """An address that is told what happens."""

    name: str
    url: str
    events: list[str]
    created_at: datetime

    @classmethod
    def of(cls, webhook: Webhook) -> Self:
        """Without its secret."""
        return cls.model_validate({name: getattr(webhook, name) for name in cls.model_fields})


class SecretBody(Body):
    """What its messages are signed with, told this once: `whsec_` and 32 bytes as base64."""

    secret: str


class AddedWebhookBody(WebhookBody, SecretBody):
    """A new webhook with its secret."""


class DeliveryBody(Body):
    """A message for a webhook. `message` is the same in each attempt, `body` what is sent; `note` says how the last attempt went."""

    id: int
    message: str
    type: str
    at: datetime
    body: str
    status: DeliveryStatus
    attempts: int
    tried_at: datetime | None
    try_at: datetime | None
    note: str

    @classmethod
    def of(cls, delivery: Delivery) -> Self:
        """All of it."""
        return cls.model_validate({name: getattr(delivery, name) for name in cls.model_fields})


AtOnce = Annotated[bool, Query(description="The old secret ends now: somebody else may know it")]

router = APIRouter(prefix="/api/v1/webhooks", responses=PROBLEMS)


@router.get("")
def list_webhooks(panel: PanelDependency, principal: Bearer) -> list[WebhookBody]:
    """Give the webhooks, by name."""
    return [WebhookBody.of(one) for one in webhooks.seen_by(panel, principal)]


@router.post("", status_code=201)
def add_webhook(panel: PanelDependency, principal: Bearer, body: NewWebhookBody, response: Response) -> AddedWebhookBody:
    """Tell a program what happens from now on, by messages that are signed (Standard Webhooks). Its secret is told this once."""
    made, secret = webhooks.add(panel, principal, name=body.name, url=body.url, events=body.events)
    response.headers["Location"] = "/api/v1/webhooks"
    return AddedWebhookBody(**WebhookBody.of(made).model_dump(), secret=secret)


@router.delete("/{name}", status_code=204)
def remove_webhook(panel: PanelDependency, principal: Bearer, name: str) -> None:
    """Tell it no longer; its messages and its secret are forgotten."""
    webhooks.remove(panel, principal, name)


@router.post("/{name}/secret")
def renew_secret(panel: PanelDependency, principal: Bearer, name: str, at_once: AtOnce = False) -> SecretBody:
    """Sign with a new secret from now on, and for 24 hours with the old one, too, unless it ends at once."""
    return SecretBody(secret=webhooks.renew(panel, principal, name, at_once=at_once))


@router.post("/{name}/test")
def test_webhook(panel: PanelDependency, principal: Bearer, name: str) -> DeliveryBody:
    """Send a message that says it is a test, and say how that went; it is tried again as all others are."""
    return DeliveryBody.of(webhooks.test(panel, principal, name))


@router.get("/{name}/deliveries")
def list_deliveries(
    panel: PanelDependency, principal: Bearer, name: str, asked: Annotated[PageQuery, Query()], paging: PagingDependency
) -> list[DeliveryBody]:
    """Give the messages of the last 30 days, newest first, a page at a time."""
    principal.demand(webhooks.RIGHT)
    rows = panel.appliance.store.webhooks.deliveries(name, before=asked.before(), limit=asked.rows)
    return [DeliveryBody.of(one) for one in paging.cut(asked, rows, lambda row: (row.id,))]
