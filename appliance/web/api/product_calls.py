"""Products, under /api/v1: what can be installed here."""

from datetime import date, datetime
from typing import Annotated, Any, Self

from fastapi import APIRouter, Query

from appliance.domain.pending import Way
from appliance.domain.product import ProductDefinition
from appliance.domain.product_settings import Setting
from appliance.operations.offered import Listed, ProductTold, SeriesTold, Use, listed_products, product_told, releases_of, uses_of
from appliance.products.catalogue import Entry
from appliance.web.api.bodies import Body
from appliance.web.api.paging import PageQuery, PagingDependency
from appliance.web.api.refusals import PROBLEMS
from appliance.web.panel import PanelDependency
from appliance.web.sessions import Bearer

Asked = Annotated[PageQuery, Query()]
NAMED = ("name", "license", "summary", "default_release")


class ProductBody(Body):
    """A CRM product. With `problems` its definition cannot be used, and what it would say is empty. `own` ones an administrator brought.

    `instances` is how many CRMs of this appliance are of it.
    """

    id: str
    name: str
    license: str
    summary: str
    default_release: str
    newest_release: str
    releases: list[str]
    settings: list[Setting]
    own: bool
    instances: int
    problems: list[str]

    @classmethod
    def of(cls, listed: Listed) -> Self:
        """Without what only playbooks need."""
        return cls(**_told(listed.entry), newest_release=listed.newest_release, instances=listed.instances)


class SeriesBody(Body):
    """A series of a product's releases, newest first; `leads_to` are the series that an upgrade leads to."""

    series: str
    releases: list[str]
    leads_to: list[str]
    support_ends: date | None

    @classmethod
    def of(cls, series: SeriesTold) -> Self:
        """All of it."""
        return cls.model_validate(vars(series))


class WaitingBody(Body):
    """A newer release."""

    version: str
    way: Way
    installable: bool


class UseBody(Body):
    """A CRM of a product, and the newest patch and upgrade that wait for it, as was found `asked_at`."""

    instance: str
    release: str
    waiting: list[WaitingBody]
    asked_at: datetime | None

    @classmethod
    def of(cls, use: Use) -> Self:
        """All of it."""
        waiting = [WaitingBody(version=one.version, way=one.way, installable=one.installable) for one in use.waiting]
        return cls(instance=use.instance, release=use.release, waiting=waiting, asked_at=use.asked_at)


class ProductDetailBody(Body):
    """A product with its series, how many CRMs are of it, and what its definition asks (`settings`) and needs.

    `unlocked` are releases that its vendor has published and that cannot be installed yet.
    """

    id: str
    name: str
    license: str
    summary: str
    default_release: str
    releases: list[str]
    settings: list[Setting]
    own: bool
    problems: list[str]
    directory: str
    series: list[SeriesBody]
    instances: int
    unlocked: list[str]
    runtime: dict[str, Any]
    database: dict[str, Any]

    @classmethod
    def of(cls, told: ProductTold) -> Self:
        """Without what only playbooks need."""
        definition = told.entry.product.definition if told.entry.product else None
        return cls(
            **_told(told.entry),
            directory=str(told.entry.directory),
            series=[SeriesBody.of(one) for one in told.series],
            instances=len(told.instances),
            unlocked=list(told.unlocked),
            runtime=definition.runtime.model_dump(mode="json") if definition else {},
            database=definition.database.model_dump(mode="json") if definition else {},
        )


def _told(entry: Entry) -> dict[str, Any]:
    definition: ProductDefinition | None = entry.product.definition if entry.product else None
    releases = [release.version for release in definition.releases] if definition else []
    settings = list(definition.settings) if definition else []
    named = {name: getattr(definition, name, "") for name in NAMED}
    return {"id": entry.id, **named, "settings": settings, "releases": releases, "own": entry.is_own, "problems": list(entry.problems)}


router = APIRouter(prefix="/api/v1/products", responses=PROBLEMS)


@router.get("")
def list_products(panel: PanelDependency, _: Bearer) -> list[ProductBody]:
    """Give the products that can be installed, and the definitions that cannot be used, by id."""
    return [ProductBody.of(one) for one in listed_products(panel.appliance)]


@router.get("/{product}")
def get_product(panel: PanelDependency, _: Bearer, product: str) -> ProductDetailBody:
    """Give one product, its definition checked whole."""
    return ProductDetailBody.of(product_told(panel.appliance, product))


@router.get("/{product}/instances")
def list_uses(panel: PanelDependency, _: Bearer, product: str, asked: Asked, paging: PagingDependency) -> list[UseBody]:
    """Give the CRMs of a product by name, and what waits for them, a page at a time."""
    (after,) = asked.after(str) or ("",)
    releases = releases_of(panel.appliance, product)
    rows = [name for name in sorted(releases) if name > after][: asked.rows]
    page = paging.cut(asked, rows, lambda name: (name,))
    return [UseBody.of(one) for one in uses_of(panel.appliance, {name: releases[name] for name in page})]
