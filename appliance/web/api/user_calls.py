"""The users of the panel, and which CRMs each may operate, under /api/v1."""

from typing import Annotated, Any, Literal

from fastapi import APIRouter
from pydantic import BaseModel, ConfigDict, Field

from appliance.web import accounts, grants
from appliance.web.api.bodies import Body
from appliance.web.api.refusals import PROBLEMS, refusal
from appliance.web.panel import PanelDependency
from appliance.web.sessions import Bearer


class UserBody(Body):
    """A user. A viewer may operate the CRMs that are named; who has a greater role, all."""

    name: str
    role: str
    crms: tuple[str, ...]


RoleName = Literal["viewer", "operator", "administrator"]


class GrantBody(BaseModel):
    """A CRM that somebody is to operate."""

    model_config = ConfigDict(extra="forbid")

    crm: Annotated[str, Field(max_length=64)]


class RoleBody(BaseModel):
    """The role that a user is to have."""

    model_config = ConfigDict(extra="forbid")

    role: RoleName


class NewUserBody(RoleBody):
    """A user that is to be added."""

    name: Annotated[str, Field(min_length=1, max_length=64)]


class PasswordBody(Body):
    """A one-time password. It is shown this once, and opens nothing but the form that replaces it."""

    name: str
    password: str


TAKEN: dict[int | str, dict[str, Any]] = {409: refusal("The name is taken")}
LAST: dict[int | str, dict[str, Any]] = {409: refusal("It is the last administrator")}

router = APIRouter(prefix="/api/v1/users", responses=PROBLEMS)


@router.get("")
def list_users(panel: PanelDependency, principal: Bearer) -> list[UserBody]:
    """Give oneself, or for an administrator everybody, by name."""
    return [UserBody.model_validate(one) for one in grants.people(panel, principal)]


@router.post("", status_code=201, responses=TAKEN)
def add_user(panel: PanelDependency, principal: Bearer, body: NewUserBody) -> PasswordBody:
    """Add a user."""
    return PasswordBody(name=body.name, password=accounts.add_user(panel, principal, body.name, body.role))


@router.post("/{name}/role", status_code=204, responses=LAST)
def change_role(panel: PanelDependency, principal: Bearer, name: str, body: RoleBody) -> None:
    """Give a user another role; the last administrator stays one."""
    accounts.change_role(panel, principal, name, body.role)


@router.post("/{name}/password")
def replace_password(panel: PanelDependency, principal: Bearer, name: str) -> PasswordBody:
    """Make a new one-time password; every browser of the user is logged out, a second factor stays on."""
    return PasswordBody(name=name, password=accounts.replace_password(panel, principal, name))


@router.delete("/{name}", status_code=204, responses=LAST)
def remove_user(panel: PanelDependency, principal: Bearer, name: str) -> None:
    """Let a user in no more: browsers, tokens, passkeys and second factor end. The last administrator stays."""
    accounts.remove_user(panel, principal, name)


@router.post("/{name}/crms", status_code=204)
def grant(panel: PanelDependency, principal: Bearer, name: str, body: GrantBody) -> None:
    """Let a user operate a CRM."""
    grants.grant(panel, principal, name, body.crm)


@router.delete("/{name}/crms/{crm}", status_code=204)
def end_grant(panel: PanelDependency, principal: Bearer, name: str, crm: str) -> None:
    """Let a user operate a CRM no longer."""
    grants.end(panel, principal, name, crm)
