"""What is asked of the webhooks, and one attempt to deliver a message."""

from collections.abc import Collection, Sequence
from datetime import datetime, timedelta

import httpx

from appliance import __version__
from appliance.domain.webhook import Delivery, Webhook, check_webhook, new_secret, signature_of
from appliance.errors import NotFound
from appliance.store.audit import append_entry
from appliance.wiring import Appliance

SECRET = "secret"  # noqa: S105 - the name of one
PREVIOUS = "previous"
"""Old secrets, a line for each, behind the moment until which messages are signed with them, too."""
OVERLAP = timedelta(hours=24)
SECONDS = 15.0


def webhook_scope(name: str) -> str:
    """Under which its secret lies in the vault."""
    return f"webhook:{name}"


def add_webhook(
    appliance: Appliance, *, name: str, url: str, events: Collection[str], requested_by: str, now: datetime
) -> tuple[Webhook, str]:
    """Tell it of these events from now on, of all for none. Gives it and its secret, which is shown this once. Raises InvalidRequest."""
    address, kinds = check_webhook(name, url, events, taken={one.name for one in appliance.store.webhooks.list()})
    secret = new_secret()
    appliance.store.vault.put(webhook_scope(name), SECRET, secret)
    return appliance.store.webhooks.add(name, address, kinds, by=requested_by, now=now), secret


def remove_webhook(appliance: Appliance, name: str, *, requested_by: str, now: datetime) -> None:
    """Tell it no longer; its messages and its secret are forgotten. Raises NotFound."""
    appliance.store.webhooks.remove(name, by=requested_by, now=now)
    appliance.store.vault.forget(webhook_scope(name))


def renew_secret(appliance: Appliance, name: str, *, requested_by: str, now: datetime, at_once: bool = False) -> str:
    """Sign with a new secret from now on, shown this once, and for a day with the old ones, too, unless they end `at_once`.

    Raises NotFound.
    """
    appliance.store.webhooks.get(name)
    secret, old = new_secret(), [] if at_once else _still_used(appliance, name, now)
    kept = {SECRET: secret} | ({PREVIOUS: "\n".join(f"{until.isoformat()} {one}" for until, one in old)} if old else {})
    told = {"old end": "at once" if at_once else "after 24 hours"}
    appliance.store.vault.exchange(
        webhook_scope(name),
        kept,
        also=lambda session: append_entry(session, at=now, actor=requested_by, action="renew secret of webhook", subject=name, detail=told),
    )
    return secret


def signed_with_old_until(appliance: Appliance, name: str, now: datetime) -> datetime | None:
    """Until when its messages are signed with an old secret, too; None where they are not."""
    return max((until for until, _ in _previous(appliance, name, now)), default=None)


def _still_used(appliance: Appliance, name: str, now: datetime) -> list[tuple[datetime, str]]:
    """The present secret for a day from now on, and those before it for what is left of theirs."""
    present = appliance.store.vault.all(webhook_scope(name)).get(SECRET)
    return [*([(now + OVERLAP, present)] if present else []), *_previous(appliance, name, now)]


def _previous(appliance: Appliance, name: str, now: datetime) -> list[tuple[datetime, str]]:
    lines = appliance.store.vault.all(webhook_scope(name)).get(PREVIOUS, "").splitlines()
    found = [(datetime.fromisoformat(until), secret) for until, _, secret in (line.partition(" ") for line in lines)]
    return [(until, secret) for until, secret in found if now < until]


def test_webhook(appliance: Appliance, name: str, *, requested_by: str, now: datetime) -> Delivery:
    """Send a message that says it is a test; gives how that went. Raises NotFound."""
    delivery = appliance.store.webhooks.queue_test(name, by=requested_by, now=now)
    attempt(appliance, appliance.store.webhooks.get(name), delivery, now)
    return appliance.store.webhooks.delivery(delivery.id)


def attempt(appliance: Appliance, webhook: Webhook, delivery: Delivery, now: datetime) -> bool:
    """Send a message once, and write how that went. It is written afterwards: who is killed in between sends it again."""
    try:
        secret = appliance.store.vault.get(webhook_scope(webhook.name), SECRET)
    except NotFound:
        return False  # removed meanwhile
    old = [one for _, one in _previous(appliance, webhook.name, now)]
    problem = _send(webhook.url, [secret, *old], delivery, now)
    appliance.store.webhooks.note(delivery.id, problem, now=now)
    return not problem


def _send(url: str, secrets: Sequence[str], delivery: Delivery, now: datetime) -> str:
    """What was the matter; empty when it arrived. The answer's body is not read, and nobody is sent elsewhere by it."""
    timestamp = int(now.timestamp())
    headers = {
        "Content-Type": "application/json",
        "User-Agent": f"crm-appliance/{__version__}",
        "webhook-id": delivery.message,
        "webhook-timestamp": str(timestamp),
        "webhook-signature": " ".join(
            signature_of(one, message=delivery.message, timestamp=timestamp, body=delivery.body) for one in secrets
        ),
    }
    try:
        with httpx.stream("POST", url, content=delivery.body.encode(), headers=headers, timeout=SECONDS, follow_redirects=False) as answer:
            return "" if answer.is_success else f"it answered {answer.status_code}"
    except (httpx.HTTPError, httpx.InvalidURL) as error:
        return f"it is not reached ({type(error).__name__})"
