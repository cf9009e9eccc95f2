"""What is asked of the webhooks in somebody's name."""

from collections.abc import Collection

from appliance.domain.webhook import Delivery, Webhook
from appliance.operations.webhooks import add_webhook, remove_webhook, renew_secret, test_webhook
from appliance.web.access import Principal
from appliance.web.panel import Panel

RIGHT = "webhooks"


def seen_by(panel: Panel, principal: Principal) -> list[Webhook]:
    """By name. Raises Forbidden."""
    principal.demand(RIGHT)
    return panel.appliance.store.webhooks.list()


def add(panel: Panel, principal: Principal, *, name: str, url: str, events: Collection[str]) -> tuple[Webhook, str]:
    """Tell it from now on; gives it and its secret. Raises Forbidden, InvalidRequest."""
    principal.demand(RIGHT)
    return add_webhook(panel.appliance, name=name, url=url, events=events, requested_by=principal.name, now=panel.clock())


def remove(panel: Panel, principal: Principal, name: str) -> None:
    """Tell it no longer. Raises Forbidden, NotFound."""
    principal.demand(RIGHT)
    remove_webhook(panel.appliance, name, requested_by=principal.name, now=panel.clock())


def renew(panel: Panel, principal: Principal, name: str, *, at_once: bool) -> str:
    """Sign with a new secret from now on, and with the old one for a day or no longer. Raises Forbidden, NotFound."""
    principal.demand(RIGHT)
    return renew_secret(panel.appliance, name, requested_by=principal.name, now=panel.clock(), at_once=at_once)


def test(panel: Panel, principal: Principal, name: str) -> Delivery:
    """Send a test; gives how that went. Raises Forbidden, NotFound."""
    principal.demand(RIGHT)
    return test_webhook(panel.appliance, name, requested_by=principal.name, now=panel.clock())
