"""A notice: what an administrator tells a CRM's own users on the status page."""

from dataclasses import dataclass
from datetime import datetime

from appliance.errors import InvalidRequest

LONGEST = 1000


@dataclass(frozen=True, kw_only=True)
class Notice:
    """A few sentences about a CRM, and who wrote them when; `outage_at` is when the outage began that they are about, if they are."""

    id: int
    instance: str
    at: datetime
    by: str
    text: str
    outage_at: datetime | None = None


def read_notice(text: str) -> str:
    """A notice's text as it is kept. Raises InvalidRequest."""
    kept = "\n".join(" ".join(line.split()) for line in text.strip().splitlines())
    if not kept:
        raise InvalidRequest("A notice says something. Nothing was changed.", field="text")
    if len(kept) > LONGEST:
        raise InvalidRequest(f"A notice is {LONGEST} characters long at most; this one has {len(kept)}. Nothing was changed.", field="text")
    if not all(character.isprintable() or character == "\n" for character in kept):
        raise InvalidRequest("A notice may not hold control characters. Nothing was changed.", field="text")
    return kept
