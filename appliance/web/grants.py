"""The users, and which CRMs somebody may operate whose role does not let him operate all."""

from dataclasses import dataclass

from appliance.web.access import Principal
from appliance.web.panel import Panel

RIGHT = "users"
"""To see everybody, and to grant."""


@dataclass(frozen=True, kw_only=True)
class Person:
    """A user, as others may know of him."""

    name: str
    role: str
    crms: tuple[str, ...]


def people(panel: Panel, principal: Principal) -> list[Person]:
    """Those that somebody may see: oneself, for administrators everybody."""
    granted = panel.appliance.store.grants.all()
    users = [one for one in panel.appliance.store.access.users() if one.name == principal.name or principal.may(RIGHT)]
    return [Person(name=one.name, role=one.role, crms=tuple(granted.get(one.name, ()))) for one in users]


def grant(panel: Panel, principal: Principal, user: str, crm: str) -> None:
    """Let a user operate a CRM. Raises Forbidden and NotFound."""
    principal.demand(RIGHT)
    panel.appliance.store.grants.add(user, crm, by=principal.name, now=panel.clock())


def end(panel: Panel, principal: Principal, user: str, crm: str) -> None:
    """Let a user operate a CRM no longer. Raises Forbidden and NotFound."""
    principal.demand(RIGHT)
    panel.appliance.store.grants.remove(user, crm, by=principal.name, now=panel.clock())
