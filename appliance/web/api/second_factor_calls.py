"""The second factors of the panel's log-in, under /api/v1. Bearer tokens open the API without them."""

from datetime import datetime
from typing import Annotated

from fastapi import APIRouter, Response
from pydantic import BaseModel, ConfigDict, Field, SecretStr

from appliance.domain.second_factor import LONGEST, address_of
from appliance.errors import InvalidRequest, Unauthenticated
from appliance.web import second_factors
from appliance.web.access import Principal
from appliance.web.api.bodies import Body
from appliance.web.api.refusals import BUSY, PROBLEMS
from appliance.web.panel import Panel, PanelDependency
from appliance.web.sessions import Bearer

Code = Annotated[str, Field(max_length=LONGEST, description="Of the app; where it is on, a recovery code will do")]


class SecondFactorBody(Body):
    """That somebody has one, since when, whether it has an app and how many passkeys, and how many recovery codes are left."""

    user: str
    since: datetime
    codes_left: int
    has_app: bool
    passkeys: int


class ProofBody(BaseModel):
    """Who somebody is, as the panel would ask: a token alone does not change this."""

    model_config = ConfigDict(extra="forbid")

    password: Annotated[SecretStr, Field(max_length=256)]
    code: Code = ""


class CodeBody(BaseModel):
    """A code that shows that an app has the secret."""

    model_config = ConfigDict(extra="forbid")

    code: Code


class OfferBody(Body):
    """A new secret: as base32, and as the address that apps know."""

    secret: str
    address: str


class RecoveryCodesBody(Body):
    """Each opens the panel once; they are told this once."""

    recovery_codes: list[str]


router = APIRouter(prefix="/api/v1/second-factors", responses=PROBLEMS)


@router.get("")
def list_second_factors(panel: PanelDependency, principal: Bearer) -> list[SecondFactorBody]:
    """Give who has one: oneself, or for an administrator everybody."""
    return [SecondFactorBody.model_validate(one) for one in second_factors.seen_by(panel, principal)]


@router.post("")
def offer(panel: PanelDependency, principal: Bearer, body: ProofBody, response: Response) -> OfferBody:
    """Give a new secret for one's own; nothing changes until a code of it was sent to `confirmation`."""
    _prove(panel, principal, body)
    secret = second_factors.offer(panel, principal)
    response.headers["Cache-Control"] = "no-store"
    return OfferBody(secret=secret, address=address_of(secret, user=principal.name, machine=second_factors.machine_of(panel)))


@router.post("/confirmation", responses=BUSY)
def turn_on(panel: PanelDependency, principal: Bearer, body: CodeBody, response: Response) -> RecoveryCodesBody:
    """Turn one's own on; every browser of this user is logged out."""
    response.headers["Cache-Control"] = "no-store"
    return RecoveryCodesBody(recovery_codes=second_factors.turn_on(panel, principal, body.code))


@router.post("/recovery-codes")
def renew_codes(panel: PanelDependency, principal: Bearer, body: ProofBody, response: Response) -> RecoveryCodesBody:
    """Make new recovery codes of one's own; earlier ones open nothing any more."""
    _prove(panel, principal, body)
    response.headers["Cache-Control"] = "no-store"
    return RecoveryCodesBody(recovery_codes=second_factors.renew_codes(panel, principal))


@router.delete("/{name}", status_code=204)
def turn_off(panel: PanelDependency, principal: Bearer, name: str) -> None:
    """Turn a user's off, for an administrator. One's own is turned off in the panel, where password and code are asked for."""
    principal.demand(second_factors.RIGHT)
    second_factors.turn_off(panel, principal, name)


def _prove(panel: Panel, principal: Principal, body: ProofBody) -> None:
    try:
        second_factors.prove(panel, principal.name, password=body.password.get_secret_value(), code=body.code)
    except Unauthenticated as error:
        raise InvalidRequest(f"{error} Nothing was changed.", field="password") from None
