"""The form that installs a CRM, made from the settings of its product definition."""

from typing import Any

from fastapi import APIRouter, Response

from appliance.domain.host import LOCALHOST
from appliance.domain.tls import TlsMode
from appliance.domain.versions import in_order
from appliance.web.access import Principal
from appliance.web.errors import Problem
from appliance.web.hosting import prepared_hosts
from appliance.web.languages import marked
from appliance.web.offers import given_settings, offered_product, offered_products, setting_fields
from appliance.web.panel import Panel, PanelDependency
from appliance.web.requesting import send, send_or_show
from appliance.web.sessions import Form, LoggedIn, Submission

MODES = {
    "": marked("As the address asks for"),
    TlsMode.PRIVATE_CA: marked("HTTPS, by the appliance's own authority"),
    TlsMode.OWN: marked("HTTPS, with a certificate of your own"),
    TlsMode.ACME: marked("HTTPS, with a certificate by ACME (Let's Encrypt)"),
    TlsMode.NONE: marked("Plain HTTP"),
}

router = APIRouter(prefix="/install", include_in_schema=False)


@router.get("")
def show_install(panel: PanelDependency, principal: LoggedIn, product: str = "", host: str = LOCALHOST) -> Response:
    """Show the form for one product."""
    return _install_form(panel, principal, {"product": product, "host": host})


@router.post("")
def install(panel: PanelDependency, form: Form) -> Response:
    """Request it."""
    return send_or_show(
        lambda: send(panel, form.principal, "install", form.text("name"), _parameters(panel, form)),
        lambda problem: _install_form(panel, form.principal, dict(form.fields), problem),
    )


def _parameters(panel: Panel, form: Submission) -> dict[str, Any]:
    """What the form asks for; empty fields are left to their defaults."""
    product = offered_product(panel.appliance.catalogue, form.text("product"))
    chosen = {name: value for name in ("release", "host", "domain", "tls") if (value := form.text(name))}
    if chosen.get("tls") == TlsMode.OWN:
        chosen |= {name: form.text(name) for name in ("certificate", "key")}
    return {"product": product.id, "settings": given_settings(product, form.fields), **chosen}


def _install_form(panel: Panel, principal: Principal, values: dict[str, str], problem: Problem | None = None) -> Response:
    principal.demand("install")
    products = offered_products(panel.appliance.catalogue)
    product = next((one for one in products if one.id == values.get("product")), products[0] if products else None)
    return panel.pages.page(
        "install.html",
        status=problem.status if problem else 200,
        principal=principal,
        section="/instances",
        problem=problem,
        products=products,
        product=product,
        releases=in_order(product) if product else (),
        fields=setting_fields(product, values) if product else [],
        values={name: value for name, value in values.items() if name != "key"},
        modes=MODES,
        hosts=prepared_hosts(panel.appliance),
    )
