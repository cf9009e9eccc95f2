"""The bearer tokens of the API, under /api/v1."""

from datetime import datetime
from typing import Annotated, Literal

from fastapi import APIRouter
from pydantic import BaseModel, ConfigDict, Field

from appliance.store.tokens import LONGEST_NAME, MOST_DAYS
from appliance.web import accounts
from appliance.web.api.bodies import Body
from appliance.web.api.refusals import PROBLEMS
from appliance.web.panel import PanelDependency
from appliance.web.sessions import Bearer


class TokenBody(Body):
    """A bearer token, which is itself not kept. It carries its user's rights, up to those of the role `scope`.

    `last_used_at` is null while it was never used, `expires_at` where it lasts until it is revoked.
    """

    name: str
    user: str
    scope: str
    created_at: datetime
    last_used_at: datetime | None
    expires_at: datetime | None


class TokenRequestBody(BaseModel):
    """A token that is to be issued; one of the same name is replaced."""

    model_config = ConfigDict(extra="forbid")

    name: Annotated[str, Field(min_length=1, max_length=LONGEST_NAME)]
    user: Annotated[str, Field(max_length=64)]
    scope: Literal["viewer", "operator", "administrator"] = "viewer"
    days: Annotated[int | None, Field(ge=1, le=MOST_DAYS, description="How long it lasts; null: until it is revoked")] = accounts.USUAL_DAYS


class IssuedBody(Body):
    """A token that was issued. It is shown this once."""

    name: str
    token: str


router = APIRouter(prefix="/api/v1/tokens", responses=PROBLEMS)


@router.get("")
def list_tokens(panel: PanelDependency, principal: Bearer) -> list[TokenBody]:
    """Give the bearer tokens by name, without what opens the API."""
    return [TokenBody.model_validate(one) for one in accounts.tokens(panel, principal)]


@router.post("", status_code=201)
def issue_token(panel: PanelDependency, principal: Bearer, body: TokenRequestBody) -> IssuedBody:
    """Issue a token."""
    made = accounts.issue_token(panel, principal, name=body.name, user=body.user, scope=body.scope, days=body.days)
    return IssuedBody(name=body.name, token=made)


@router.delete("/{name:path}", status_code=204)
def revoke_token(panel: PanelDependency, principal: Bearer, name: str) -> None:
    """Revoke a token: it opens nothing from now on, even if it is the one that asks."""
    accounts.revoke_token(panel, principal, name)
