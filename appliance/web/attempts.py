"""A limit on failed log-ins from one address, beside the lockout of each user: whoever tries many names is held back, too.

Where a request comes from is what the web server says (`cli/processes.listening`), never what the visitor says of himself.
"""

import contextlib
import math
from collections.abc import Iterator
from datetime import datetime, timedelta

from appliance.config import Settings
from appliance.domain.attempts import Limit, network_of
from appliance.errors import Forbidden, Unauthenticated
from appliance.web.languages import ngettext
from appliance.web.panel import Panel

LOG_IN = "log in"
TOKEN = "token"  # noqa: S105 - a door's name
MINUTE_SECONDS = 60


class TooManyAttempts(Forbidden):
    """Too many attempts from one address have failed lately."""

    def __init__(self, until: datetime, now: datetime) -> None:
        seconds = max(1, math.ceil((until - now).total_seconds()))
        super().__init__(
            ngettext(
                "Too many wrong attempts have come from your address. Try again in %(num)s minute.",
                "Too many wrong attempts have come from your address. Try again in %(num)s minutes.",
                math.ceil(seconds / MINUTE_SECONDS),
            )
        )
        self.headers = {"Retry-After": str(seconds)}


@contextlib.contextmanager
def counted(panel: Panel, address: str) -> Iterator[None]:
    """Try a password, a code or a passkey inside: it counts as failed beforehand, so that many at once are no more than few.

    Raises TooManyAttempts before anything is looked at.
    """
    count_failure(panel, address, LOG_IN)
    is_wrong = False
    try:
        yield
    except (Unauthenticated, Forbidden):
        is_wrong = True
        raise
    finally:
        if not is_wrong:
            panel.appliance.store.attempts.give_back(network_of(address), LOG_IN)


def count_failure(panel: Panel, address: str, door: str) -> None:
    """Count one more. Raises TooManyAttempts beyond the limit; the audit holds when that begins, and no more of it."""
    limit, place, now = limit_of(panel.appliance.settings), network_of(address), panel.clock()
    if not limit.failures:
        return
    attempt = panel.appliance.store.attempts.count(place, door, limit=limit, now=now)
    if attempt.ends_at is not None:
        raise TooManyAttempts(attempt.ends_at, now)
    if attempt.is_last:
        told = {"from": place, "at": door, "failures": limit.failures}
        panel.appliance.store.access.audit(actor="", action="hold back log-ins", subject="panel", detail=told, now=now)


def limit_of(settings: Settings) -> Limit:
    """As the settings say."""
    return Limit(failures=settings.login_failures, within=timedelta(seconds=settings.login_failures_seconds))
