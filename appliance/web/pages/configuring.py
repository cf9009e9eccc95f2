"""The settings of a CRM: a form made from its product definition, what would change, and the request."""

from typing import Any

from fastapi import APIRouter, Response

from appliance.domain.product_settings import Value
from appliance.errors import Conflict, InvalidRequest, PreflightFailed
from appliance.operations.kinds.configure import accept
from appliance.web.access import Principal
from appliance.web.errors import Problem, problem_of
from appliance.web.offers import find_product, given_settings, setting_changes, setting_fields, typed_values
from appliance.web.panel import Panel, PanelDependency
from appliance.web.requesting import send, send_or_show
from appliance.web.sessions import Form, LoggedIn, Submission

router = APIRouter(prefix="/instances/{name}/configure", include_in_schema=False)


@router.get("")
def show_settings(panel: PanelDependency, principal: LoggedIn, name: str) -> Response:
    """Show the settings as they are."""
    return _settings_form(panel, principal, name)


@router.post("/preview")
def preview(panel: PanelDependency, form: Form, name: str) -> Response:
    """Show what would change, and what that means."""
    form.principal.demand("configure", name)
    try:
        changed = accept(panel.appliance, name, _wanted(panel, form, name))["settings"]
    except (InvalidRequest, Conflict, PreflightFailed) as error:
        return _settings_form(panel, form.principal, name, problem_of(error), typed=form)
    return _settings_form(panel, form.principal, name, typed=form, changed=changed)


@router.post("")
def configure(panel: PanelDependency, form: Form, name: str) -> Response:
    """Request it."""
    form.principal.demand("configure", name)
    return send_or_show(
        lambda: send(panel, form.principal, "configure", name, _wanted(panel, form, name)),
        lambda problem: _settings_form(panel, form.principal, name, problem, typed=form),
    )


def _wanted(panel: Panel, form: Submission, name: str) -> dict[str, Any]:
    """What the form asks for; an empty field asks for nothing less than an empty value."""
    instance = panel.appliance.store.instances.get(name)
    product = panel.appliance.catalogue.get(instance.product).definition
    return {"settings": given_settings(product, form.fields, empty=True)}


def _settings_form(
    panel: Panel,
    principal: Principal,
    name: str,
    problem: Problem | None = None,
    *,
    typed: Submission | None = None,
    changed: dict[str, Value] | None = None,
) -> Response:
    principal.demand("configure", name)
    instance = panel.appliance.store.instances.get(name)
    product = find_product(panel.appliance.catalogue, instance.product)
    values = {**typed_values(product, instance.settings), **(typed.fields if typed else {})} if product else {}
    return panel.pages.page(
        "configure.html",
        status=problem.status if problem else 200,
        principal=principal,
        section="/instances",
        instance=instance,
        problem=problem,
        fields=setting_fields(product, values) if product else [],
        changes=setting_changes(product, instance.settings, changed) if product and changed else [],
        values=values,
    )
