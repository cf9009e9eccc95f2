"""What can be installed here: the product definitions, and one of them with the CRMs that were made of it."""

from fastapi import APIRouter, Response

from appliance.operations.offered import listed_products, product_told, uses_of
from appliance.web.definitions import needs_told, probes_told, setting_told
from appliance.web.panel import Panel, PanelDependency
from appliance.web.portions import NarrowingDependency, portion
from appliance.web.sessions import LoggedIn

SHOWN_CRMS = 25

router = APIRouter(prefix="/products", include_in_schema=False)


@router.get("")
def list_products(panel: PanelDependency, principal: LoggedIn) -> Response:
    """Show every definition, those too that cannot be used."""
    return panel.pages.page(
        "products.html",
        principal=principal,
        section="/products",
        products=listed_products(panel.appliance),
        own_directory=_own_directory(panel),
    )


@router.get("/{product}")
def show_product(panel: PanelDependency, principal: LoggedIn, product: str, asked: NarrowingDependency) -> Response:
    """Show one, in the words of who is about to trust it."""
    told = product_told(panel.appliance, product)
    shown = portion(sorted(told.instances), asked, SHOWN_CRMS)
    definition = told.entry.product.definition if told.entry.product else None
    return panel.pages.page(
        "product.html",
        principal=principal,
        section="/products",
        told=told,
        definition=definition,
        portion=shown,
        uses=uses_of(panel.appliance, {name: told.instances[name] for name in shown.names}),
        needs=needs_told(definition) if definition else [],
        probes=probes_told(definition) if definition else [],
        setting_told=setting_told,
        today=panel.clock().date(),
    )


def _own_directory(panel: Panel) -> str:
    return str(panel.appliance.settings.etc / "products")
