"""Secrets, under /api/v1: which there are, and replacing those that people set. None is ever told."""

from datetime import datetime
from typing import Annotated, Self

from fastapi import APIRouter, Query
from pydantic import Field, SecretStr

from appliance.operations.kept_secrets import KINDS, Kept
from appliance.web import secrets
from appliance.web.api.bodies import Body
from appliance.web.api.paging import PageQuery, PagingDependency
from appliance.web.api.refusals import PROBLEMS
from appliance.web.panel import PanelDependency
from appliance.web.sessions import Bearer

LONGEST_SECRET = 20_000
WHICH = "Of a repository what it is asked with, of a channel `url`, of the login provider `client-secret`"
Asked = Annotated[PageQuery, Query()]


class KeptSecretBody(Body):
    """The secrets of an owner by name, each with when it was last set, where that is known. `told` says why they can(not) be replaced."""

    kind: str
    owner: str
    secrets: dict[str, datetime | None]
    can_replace: bool
    told: str

    @classmethod
    def of(cls, kept: Kept) -> Self:
        """Never what they are."""
        told = KINDS[kept.owner.kind].told
        return cls(kind=kept.owner.kind, owner=kept.owner.name, secrets=dict(kept.secrets), can_replace=kept.can_replace, told=told)


class NewSecretsBody(Body):
    """What they are from now on. What is not named stays as it is."""

    secrets: Annotated[
        dict[str, Annotated[SecretStr, Field(max_length=LONGEST_SECRET)]],
        Field(min_length=1, max_length=20, description=WHICH),
    ]


router = APIRouter(prefix="/api/v1/secrets", responses=PROBLEMS)


@router.get("")
def list_secrets(panel: PanelDependency, principal: Bearer, asked: Asked, paging: PagingDependency) -> list[KeptSecretBody]:
    """Give whose secrets are kept and since when, a page at a time."""
    (after,) = asked.after(str) or ("",)
    owners = sorted(secrets.owners_seen_by(panel, principal), key=lambda one: one.scope)
    rows = [one for one in owners if one.scope > after][: asked.rows]
    page = paging.cut(asked, rows, lambda row: (row.scope,))
    return [KeptSecretBody.of(one) for one in secrets.seen_by(panel, principal, page)]


@router.post("/{kind}/{owner}", status_code=204)
def replace_secrets(panel: PanelDependency, principal: Bearer, kind: str, owner: str, body: NewSecretsBody) -> None:
    """Replace secrets of a `repository`, a `channel` or the `login-provider` (whose name is `login-provider`, too)."""
    values = {name: value.get_secret_value() for name, value in body.secrets.items()}
    secrets.replace(panel, principal, kind, owner, values)
