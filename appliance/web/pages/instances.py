"""The CRMs, and one of them."""

from fastapi import APIRouter, Response
from fastapi.responses import RedirectResponse

from appliance.domain.objectives import read_objectives
from appliance.errors import InvalidRequest
from appliance.web.access import Principal
from appliance.web.errors import Problem, problem_of
from appliance.web.offers import find_product, offered_product, upgrade_offers
from appliance.web.panel import Panel, PanelDependency
from appliance.web.requesting import send, send_or_show
from appliance.web.sessions import Form, LoggedIn
from appliance.web.summaries import summarize, summarize_all

POINTS_SHOWN = 5
OPERATIONS_SHOWN = 8

router = APIRouter(prefix="/instances", include_in_schema=False)


@router.get("")
def list_instances(panel: PanelDependency, principal: LoggedIn) -> Response:
    """Show all CRMs."""
    summaries = summarize_all(panel.appliance, panel.clock())
    return panel.pages.page("instances.html", principal=principal, section="/instances", summaries=summaries)


@router.get("/{name}")
def show_instance(panel: PanelDependency, principal: LoggedIn, name: str) -> Response:
    """Show one CRM."""
    return instance_page(panel, principal, name)


@router.post("/{name}/backup")
def back_up(panel: PanelDependency, form: Form, name: str) -> Response:
    """Take a backup."""
    return send_or_show(
        lambda: send(panel, form.principal, "backup", name, {}), lambda problem: instance_page(panel, form.principal, name, problem)
    )


@router.post("/{name}/archive")
def archive(panel: PanelDependency, form: Form, name: str) -> Response:
    """Keep every change, or no longer."""
    wanted = {"wanted": form.text("wanted") == "yes"}
    return send_or_show(
        lambda: send(panel, form.principal, "archive", name, wanted), lambda problem: instance_page(panel, form.principal, name, problem)
    )


@router.post("/{name}/drill")
def drill(panel: PanelDependency, form: Form, name: str) -> Response:
    """Prove a recovery point, the newest unless one is named."""
    parameters = {"point": point} if (point := form.text("point")) else {}
    return send_or_show(
        lambda: send(panel, form.principal, "drill", name, parameters), lambda problem: instance_page(panel, form.principal, name, problem)
    )


@router.post("/{name}/password")
def reveal_password(panel: PanelDependency, form: Form, name: str) -> Response:
    """Show the password that the CRM's first user was made with."""
    form.principal.demand("reveal")
    store = panel.appliance.store
    users = offered_product(panel.appliance.catalogue, store.instances.get(name).product).users
    password = store.vault.get(name, users.admin_secret)
    store.access.audit(actor=form.principal.name, action="reveal password", subject=name, detail={"user": users.admin}, now=panel.clock())
    return panel.pages.page(
        "credentials.html",
        principal=form.principal,
        section="/instances",
        instance=store.instances.get(name),
        user=users.admin,
        password=password,
    )


@router.post("/{name}/approval")
def ask_approval(panel: PanelDependency, form: Form, name: str) -> Response:
    """Say whether a second person has to agree to what changes it."""
    form.principal.demand("approval")
    wanted = form.text("wanted") == "yes"
    panel.appliance.store.instances.ask_approval(name, wanted=wanted, by=form.principal.name, now=panel.clock())
    return RedirectResponse(f"/instances/{name}", 303)


@router.post("/{name}/publication")
def publish(panel: PanelDependency, form: Form, name: str) -> Response:
    """Show it on the status page, or no longer."""
    form.principal.demand("publish")
    panel.appliance.store.instances.publish(name, wanted=form.text("wanted") == "yes", by=form.principal.name, now=panel.clock())
    return RedirectResponse(f"/instances/{name}", 303)


@router.post("/{name}/objectives")
def promise(panel: PanelDependency, form: Form, name: str) -> Response:
    """Say what is promised of it."""
    form.principal.demand("objectives")
    try:
        objectives = read_objectives(form.fields)
    except InvalidRequest as error:
        return instance_page(panel, form.principal, name, problem_of(error))
    panel.appliance.store.instances.promise(name, objectives, by=form.principal.name, now=panel.clock())
    return RedirectResponse(f"/instances/{name}", 303)


def instance_page(panel: Panel, principal: Principal, name: str, problem: Problem | None = None) -> Response:
    """Show one CRM, with the refusal of what was asked if there is one. Raises NotFound."""
    store = panel.appliance.store
    instance = store.instances.get(name)
    product = find_product(panel.appliance.catalogue, instance.product)
    return panel.pages.page(
        "instance.html",
        status=problem.status if problem else 200,
        principal=principal,
        section="/instances",
        problem=problem,
        summary=summarize(panel.appliance, instance, panel.clock()),
        product=product.name if product else instance.product,
        points=store.points.list(name)[:POINTS_SHOWN],
        operations=store.operations.list(instance=name, limit=OPERATIONS_SHOWN),
        has_upgrade=bool(upgrade_offers(product, instance)),
    )
