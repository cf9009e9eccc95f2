"""The repositories elsewhere under /api/v1, and the recovery kit."""

from collections.abc import Mapping
from datetime import datetime
from typing import Annotated, Any, Self

from fastapi import APIRouter, Response
from pydantic import Field, SecretStr

from appliance.domain.repository import KINDS, LONGEST_NAME, Repository
from appliance.domain.retention import Retention
from appliance.web import repositories
from appliance.web.api.bodies import Body
from appliance.web.api.refusals import BUSY, PROBLEMS
from appliance.web.api.tags import UNMET, PreconditionDependency
from appliance.web.panel import PanelDependency
from appliance.web.sessions import Bearer


class RepositoryBody(Body):
    """A second place for recovery points. `note` says how the last copying to it went, at `noted_at`.

    At `state_kept_at` the appliance's own state was kept there last, at `kit_proven_at` the recovery kit was last seen to open it.
    `retention` says what is kept there, where the appliance has credentials to give up the rest. At `credentials_at` those that it is
    asked with were replaced last.
    """

    name: str
    location: str
    works: bool | None
    note: str
    noted_at: datetime | None
    state_kept_at: datetime | None
    kit_proven_at: datetime | None
    retention: dict[str, Any] | None
    created_at: datetime
    credentials_at: datetime | None

    @classmethod
    def of(cls, repository: Repository) -> Self:
        """All of it; what it is asked with is a secret."""
        return cls.model_validate(vars(repository))


class NewRepositoryBody(Body):
    """One that recovery points are to be copied to."""

    name: Annotated[str, Field(max_length=LONGEST_NAME)]
    location: Annotated[str, Field(max_length=400, description=KINDS)]
    secrets: Annotated[
        dict[str, SecretStr],
        Field(
            default_factory=dict,
            description="Credentials by the names that restic knows them by; `password` of one that is there already; "
            "for SFTP `ssh_key` and `known_hosts`; for a certificate of a private authority `authority`",
        ),
    ]


class RetentionBody(Body):
    """What is kept in a repository elsewhere. `location` is where it is asked for that, if another place than hosts are told."""

    keep: Annotated[Retention, Field(description='Such as `{"daily": 7}`')]
    location: Annotated[str | None, Field(max_length=400)] = None
    secrets: Annotated[dict[str, SecretStr], Field(description="Credentials of its own, as in adding one; hosts are lent none of them")]


class KitBody(Body):
    """The recovery kit, a file in TOML. Whoever has it can read all that is kept elsewhere."""

    text: str


router = APIRouter(prefix="/api/v1", responses=PROBLEMS)


@router.get("/repositories")
def list_repositories(panel: PanelDependency, _: Bearer) -> list[RepositoryBody]:
    """Give the repositories elsewhere, by name."""
    return [RepositoryBody.of(one) for one in panel.appliance.store.repositories.list()]


@router.post("/repositories", status_code=201)
def add_repository(panel: PanelDependency, principal: Bearer, body: NewRepositoryBody, response: Response) -> RepositoryBody:
    """Copy recovery points to a second place, with every backup from now on."""
    made = repositories.add(panel, principal, name=body.name, location=body.location, secrets=_told(body.secrets))
    response.headers["Location"] = "/api/v1/repositories"
    return RepositoryBody.of(made)


@router.get("/repositories/{name}")
def get_repository(panel: PanelDependency, _: Bearer, name: str) -> RepositoryBody:
    """Give one repository elsewhere."""
    return RepositoryBody.of(panel.appliance.store.repositories.get(name))


@router.post("/repositories/{name}/retention", responses=UNMET)
def retain(panel: PanelDependency, principal: Bearer, name: str, body: RetentionBody, still: PreconditionDependency) -> RepositoryBody:
    """Give up there what is not to be kept, by operations `retention`, with credentials that stay on the appliance's machine."""
    keep = {period: number for period, number in vars(body.keep).items() if number}
    with still.on(lambda: get_repository(panel, principal, name)):
        kept = repositories.thin(panel, principal, name, location=body.location, keep=keep, secrets=_told(body.secrets))
    return RepositoryBody.of(kept)


@router.delete("/repositories/{name}/retention", status_code=204, responses=UNMET)
def retain_all(panel: PanelDependency, principal: Bearer, name: str, still: PreconditionDependency) -> None:
    """Give up nothing there any more, and forget the credentials for it."""
    with still.on(lambda: get_repository(panel, principal, name)):
        repositories.keep_all(panel, principal, name)


@router.delete("/repositories/{name}", status_code=204, responses=UNMET)
def remove_repository(panel: PanelDependency, principal: Bearer, name: str, still: PreconditionDependency) -> None:
    """Copy nothing there any more; what lies there stays, and its password is kept."""
    with still.on(lambda: get_repository(panel, principal, name)):
        repositories.remove(panel, principal, name)


@router.post("/recovery-kit", responses=BUSY)
def make_recovery_kit(panel: PanelDependency, principal: Bearer, response: Response) -> KitBody:
    """Give what brings appliance and CRMs back on a bare machine, beside a repository elsewhere: `bin/up --recover FILE`."""
    response.headers["Cache-Control"] = "no-store"
    return KitBody(text=repositories.kit_text(panel, principal))


def _told(secrets: Mapping[str, SecretStr]) -> dict[str, str]:
    return {name: secret.get_secret_value() for name, secret in secrets.items()}
