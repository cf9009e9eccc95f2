"""How much people work with each CRM, under /api/v1."""

from datetime import date, datetime
from typing import Self

from fastapi import APIRouter

from appliance.domain.adoption import Adoption
from appliance.web.api.bodies import ApprovalBody, Body, InstanceBody
from appliance.web.api.refusals import PROBLEMS
from appliance.web.api.tags import UNMET, PreconditionDependency
from appliance.web.panel import PanelDependency
from appliance.web.sessions import Bearer


class AdoptionBody(Body):
    """As the CRM's database has told. `days` is how many people changed something, by day (UTC) and department; "" is none."""

    instance: str
    tried_at: datetime
    problem: str
    asked_at: datetime | None
    records: int
    untouched: int
    untouched_ratio: float
    newest_change: datetime | None
    departments: tuple[str, ...]
    days: dict[date, dict[str, int]]

    @classmethod
    def of(cls, adoption: Adoption) -> Self:
        """All of it."""
        return cls.model_validate(adoption)


class MeasuredBody(Body):
    """Whether it is measured, and what was last known; nothing before the first answer."""

    measured: bool
    adoption: AdoptionBody | None


class MeasuringBody(ApprovalBody):
    """Whether it is measured how much people work with a CRM."""


router = APIRouter(prefix="/api/v1", responses=PROBLEMS)


@router.get("/instances/{name}/adoption")
def show_adoption(panel: PanelDependency, _: Bearer, name: str) -> MeasuredBody:
    """Give how much people work with a CRM; no person is named."""
    store = panel.appliance.store
    instance, found = store.instances.get(name), store.adoption.find(name)
    return MeasuredBody(measured=instance.measures_adoption, adoption=None if found is None else AdoptionBody.of(found))


@router.post("/instances/{name}/adoption", status_code=204, responses=UNMET)
def measure_adoption(panel: PanelDependency, principal: Bearer, name: str, body: MeasuringBody, still: PreconditionDependency) -> None:
    """Measure it from now on, or no longer; what was known is then forgotten."""
    principal.demand("adoption")
    with still.on(lambda: InstanceBody.of(panel.appliance.store.instances.get(name))):
        panel.appliance.store.instances.measure_adoption(name, wanted=body.wanted, by=principal.name, now=panel.clock())
