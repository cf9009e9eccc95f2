"""The browsers that are logged in: everybody's own, for administrators everybody's."""

from appliance.errors import Forbidden, NotFound
from appliance.store.access import BrowserSession
from appliance.web.access import Principal
from appliance.web.languages import gettext
from appliance.web.panel import Panel

RIGHT = "sessions"


def seen_by(panel: Panel, principal: Principal) -> list[BrowserSession]:
    """Those that somebody may see and end, the one used last first."""
    return panel.appliance.store.access.sessions(None if principal.may(RIGHT) else principal.name, now=panel.clock())


def end(panel: Panel, principal: Principal, session_id: str) -> None:
    """Log one browser out. Raises NotFound, also for one that somebody may not see."""
    ended = [one for one in seen_by(panel, principal) if one.id == session_id]
    if not ended:
        raise NotFound(gettext("There is no such session; it may have ended already. Nothing was changed."))
    panel.appliance.store.access.end_sessions(ended, by=principal.name, now=panel.clock())


def end_all(panel: Panel, principal: Principal, user: str, *, but: str = "") -> int:
    """Log all browsers of a user out, but the one whose forms carry `but`; gives how many. Raises Forbidden."""
    if user != principal.name and not principal.may(RIGHT):
        raise Forbidden(f"{principal.name} is a {principal.role}; only an administrator ends the sessions of others. Nothing was changed.")
    ended = [one for one in seen_by(panel, principal) if one.user == user and one.csrf != but]
    panel.appliance.store.access.end_sessions(ended, by=principal.name, now=panel.clock())
    return len(ended)
