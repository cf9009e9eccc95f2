"""The certificate that a CRM shows, and the authority that the appliance keeps."""

from fastapi import APIRouter, Response

from appliance.operations.certifying import authority
from appliance.web.access import Principal
from appliance.web.errors import Problem
from appliance.web.panel import Panel, PanelDependency
from appliance.web.requesting import send, send_or_show
from appliance.web.sessions import Form, LoggedIn

PEM = "application/x-pem-file"

router = APIRouter(include_in_schema=False)


@router.get("/certificate-authority.pem")
def download_authority(panel: PanelDependency, _: LoggedIn) -> Response:
    """Give the authority's certificate, for the browsers and machines that are to trust it."""
    pem = authority(panel.appliance, panel.clock()).certificate
    return Response(pem, media_type=PEM, headers={"Content-Disposition": 'attachment; filename="crm-appliance-ca.pem"'})


@router.get("/instances/{name}/certificate")
def show_certificate(panel: PanelDependency, principal: LoggedIn, name: str) -> Response:
    """Show what can be done about the certificate."""
    return _certificate_form(panel, principal, name)


@router.post("/instances/{name}/certificate")
def change_certificate(panel: PanelDependency, form: Form, name: str) -> Response:
    """Request a renewal, or the replacement by one that is brought."""
    brought = {"certificate": form.text("certificate") or None, "key": form.text("key") or None}
    parameters = {"action": "replace", **brought} if form.text("action") == "replace" else {"action": "renew"}
    return send_or_show(
        lambda: send(panel, form.principal, "certificate", name, parameters),
        lambda problem: _certificate_form(
            panel, form.principal, name, problem, action=form.text("action"), certificate=form.text("certificate")
        ),
    )


def _certificate_form(
    panel: Panel, principal: Principal, name: str, problem: Problem | None = None, *, action: str = "", certificate: str = ""
) -> Response:
    """The key is never shown again."""
    principal.demand("certificate", name)
    instance = panel.appliance.store.instances.get(name)
    return panel.pages.page(
        "certificate.html",
        status=problem.status if problem else 200,
        principal=principal,
        section="/instances",
        instance=instance,
        problem=problem,
        action=action or ("replace" if instance.tls.mode == "own" else "renew"),
        certificate=certificate,
    )
