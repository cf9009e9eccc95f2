"""The passkeys of the panel's log-in, under /api/v1. They are made in a browser alone."""

from datetime import datetime

from fastapi import APIRouter

from appliance.errors import NotFound
from appliance.web import passkeys, second_factors
from appliance.web.api.bodies import Body
from appliance.web.api.refusals import PROBLEMS
from appliance.web.panel import PanelDependency
from appliance.web.sessions import Bearer


class PasskeyBody(Body):
    """A passkey; `id` names it and opens nothing."""

    id: str
    user: str
    name: str
    created_at: datetime
    last_used_at: datetime | None


router = APIRouter(prefix="/api/v1/passkeys", responses=PROBLEMS)


@router.get("")
def list_passkeys(panel: PanelDependency, principal: Bearer) -> list[PasskeyBody]:
    """Give one's own, or for an administrator everybody's."""
    shown = PasskeyBody.model_fields
    return [PasskeyBody(**{name: getattr(one, name) for name in shown}) for one in passkeys.seen_by(panel, principal)]


@router.delete("/{passkey_id}", status_code=204)
def remove_passkey(panel: PanelDependency, principal: Bearer, passkey_id: str) -> None:
    """Let one open nothing from now on, for an administrator; the second factor ends with the last thing it is made of.

    One's own is removed in the panel, where password and code are asked for.
    """
    principal.demand(second_factors.RIGHT)
    found = panel.appliance.store.passkeys.find(passkey_id)
    if found is None:
        raise NotFound("There is no such passkey; it may be removed already. Nothing was changed.")
    passkeys.remove(panel, principal, found.user, found.id)
