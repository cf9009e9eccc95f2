"""The provider that people log in by, under /api/v1."""

from datetime import datetime
from typing import Annotated, Literal

from fastapi import APIRouter
from pydantic import BaseModel, ConfigDict, Field, SecretStr, StrictBool

from appliance.domain.login_provider import LONGEST, LoginProvider
from appliance.operations.login_provider import set_provider
from appliance.web import login_provider
from appliance.web.api.bodies import Body
from appliance.web.api.refusals import BUSY, PROBLEMS
from appliance.web.panel import PanelDependency
from appliance.web.sessions import Bearer

Text = Annotated[str, Field(max_length=LONGEST)]
RoleName = Literal["viewer", "operator", "administrator"]


class LoginProviderBody(Body):
    """The provider; its secret is told to nobody."""

    name: str
    issuer: str
    client_id: str
    role_claim: str
    roles: dict[str, str]
    default_role: str
    domains: tuple[str, ...]
    makes_users: bool


class SetLoginProviderBody(BaseModel):
    """A provider; without a secret the present one is kept."""

    model_config = ConfigDict(extra="forbid")

    name: Text
    issuer: Annotated[Text, Field(description="As the provider calls itself")]
    client_id: Text
    secret: Annotated[SecretStr, Field(max_length=500)] = SecretStr("")
    role_claim: Text = ""
    roles: Annotated[dict[Text, RoleName], Field(description="Which value of the claim gives which role")] = {}
    default_role: RoleName | Literal[""] = ""
    domains: Annotated[tuple[Text, ...], Field(description="Of the e-mail addresses that may log in; all without any")] = ()
    makes_users: Annotated[StrictBool, Field(description="Whether who comes for the first time becomes a user")] = False


class IdentityBody(Body):
    """Who somebody is at the provider. Who `follows` has the role that it says."""

    issuer: str
    subject: str
    user: str
    follows: bool
    since: datetime
    last_used_at: datetime | None


class LinkBody(BaseModel):
    """Which user a subject of the provider is."""

    model_config = ConfigDict(extra="forbid")

    user: Text
    subject: Annotated[Text, Field(min_length=1)]


router = APIRouter(prefix="/api/v1/login-provider", responses=PROBLEMS)


@router.get("")
def show(panel: PanelDependency, principal: Bearer) -> LoginProviderBody | None:
    """Give the provider, or null."""
    principal.demand(login_provider.RIGHT)
    found = panel.appliance.store.login_providers.find()
    return None if found is None else LoginProviderBody.model_validate(found)


@router.post("", status_code=204)
def save(panel: PanelDependency, principal: Bearer, body: SetLoginProviderBody) -> None:
    """Have people log in by it, once it was seen to answer."""
    principal.demand(login_provider.RIGHT)
    provider = LoginProvider(**body.model_dump(exclude={"secret"}))
    set_provider(panel.appliance, provider, secret=body.secret.get_secret_value(), by=principal.name, now=panel.clock())


@router.delete("", status_code=204)
def remove(panel: PanelDependency, principal: Bearer) -> None:
    """Have nobody log in by it any more; who is who there is kept."""
    principal.demand(login_provider.RIGHT)
    panel.appliance.store.login_providers.remove(by=principal.name, now=panel.clock())


@router.get("/identities")
def list_identities(panel: PanelDependency, principal: Bearer) -> list[IdentityBody]:
    """Give who is known there."""
    principal.demand(login_provider.RIGHT)
    return [IdentityBody.model_validate(one) for one in panel.appliance.store.login_providers.identities()]


@router.post("/identities", status_code=204, responses=BUSY)
def link(panel: PanelDependency, principal: Bearer, body: LinkBody) -> None:
    """Let a user that there is log in by the provider, too; the role stays."""
    principal.demand(login_provider.RIGHT)
    issuer = login_provider.demand_provider(panel).issuer
    providers = panel.appliance.store.login_providers
    providers.link(issuer=issuer, subject=body.subject, user=body.user, by=principal.name, now=panel.clock())


@router.delete("/identities/{subject:path}", status_code=204)
def unlink(panel: PanelDependency, principal: Bearer, subject: str) -> None:
    """Let nobody log in as that subject any more."""
    principal.demand(login_provider.RIGHT)
    issuer = login_provider.demand_provider(panel).issuer
    panel.appliance.store.login_providers.unlink(issuer=issuer, subject=subject, by=principal.name, now=panel.clock())
