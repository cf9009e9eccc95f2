"""A closure: a CRM that somebody has taken out of service for its users, with what they are told."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from appliance.domain.product_settings import PLACEHOLDER_MARKS
from appliance.errors import InvalidRequest

LONGEST = 300
RETRY_AFTER_SECONDS = 600
"""What browsers and programs are told: nobody knows when somebody will open it."""
USUAL = "The CRM is being looked after. Nothing is lost; please come back later."


@dataclass(frozen=True, kw_only=True)
class Closure:
    """Visitors get the maintenance page with `message` until somebody opens the CRM again."""

    message: str
    by: str
    at: datetime


def page_of(message: str) -> dict[str, Any]:
    """What a playbook is told to show visitors."""
    return {"message": message, "retry_after_seconds": RETRY_AFTER_SECONDS}


def read_message(text: str) -> str:
    """A message as visitors get it, in one line; an empty one is the usual one. Raises InvalidRequest."""
    message = " ".join(text.split()) or USUAL
    if len(message) > LONGEST:
        raise InvalidRequest(
            f"A message is {LONGEST} characters long at most; this one has {len(message)}. Nothing was changed.", field="message"
        )
    if not message.isprintable():
        raise InvalidRequest("A message may not hold control characters. Nothing was changed.", field="message")
    if any(mark in message for mark in PLACEHOLDER_MARKS):
        raise InvalidRequest("A message may not contain '{{', '{%' or '{#'. Nothing was changed.", field="message")
    return message
