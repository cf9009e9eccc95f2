"""What is asked of the links to an operation's log in somebody's name, and by who has such a link."""

from datetime import timedelta

from appliance.domain.attempts import Limit, network_of
from appliance.domain.operation import Operation
from appliance.domain.shared_log import Share, SharedLog
from appliance.errors import NotFound
from appliance.operations import sharing
from appliance.web.access import Principal
from appliance.web.attempts import TooManyAttempts
from appliance.web.languages import gettext
from appliance.web.panel import Panel

RIGHT = "share"
DOOR = "shared log"
LIMIT = Limit(failures=60, within=timedelta(minutes=1))
"""How often one address may ask for shared logs, whether there is such a one or not."""


def share(panel: Panel, principal: Principal, operation: Operation, days: int) -> tuple[str, Share]:
    """Give the address that shows its log for so many days, and the link. Raises Forbidden, InvalidRequest, Conflict."""
    principal.demand(RIGHT, operation.instance)
    return sharing.share(panel.appliance, operation, days=days, by=principal.name, now=panel.clock())


def shares_of(panel: Panel, principal: Principal, operation: Operation) -> list[Share]:
    """Those that last. Raises Forbidden."""
    principal.demand(RIGHT, operation.instance)
    return list(panel.appliance.store.shares.of(operation.id, now=panel.clock()))


def revoke(panel: Panel, principal: Principal, operation: Operation, share_id: str) -> None:
    """Let a link open nothing from now on. Raises Forbidden, NotFound."""
    principal.demand(RIGHT, operation.instance)
    panel.appliance.store.shares.revoke(operation.id, share_id, by=principal.name, now=panel.clock())


def opened(panel: Panel, token: str, address: str) -> SharedLog:
    """What a link shows to whoever has it. Raises NotFound, the same for one that never was and one that is over, and TooManyAttempts."""
    now = panel.clock()
    attempt = panel.appliance.store.attempts.count(network_of(address), DOOR, limit=LIMIT, now=now)
    if attempt.ends_at is not None:
        raise TooManyAttempts(attempt.ends_at, now)
    shown = panel.appliance.store.shares.open(token, now=now)
    if shown is None:
        raise NotFound(gettext("There is no such page."))
    return shown
