"""What waits to be installed: releases, advisories and Debian packages, and what could not be asked."""

from fastapi import APIRouter, Response
from fastapi.responses import RedirectResponse

from appliance.domain.host import host_of_subject
from appliance.operations.pending import look, subjects_of
from appliance.web.panel import PanelDependency
from appliance.web.sessions import Form, LoggedIn

router = APIRouter(prefix="/updates", include_in_schema=False)


@router.get("")
def list_updates(panel: PanelDependency, principal: LoggedIn) -> Response:
    """Show what was found when it was asked last; who was never asked is listed as such."""
    answers = {one.subject: one for one in panel.appliance.store.pending.list()}
    rows = [(subject, host_of_subject(subject), answers.get(subject)) for subject in subjects_of(panel.appliance)]
    return panel.pages.page("updates.html", principal=principal, section="/updates", rows=rows)


@router.post("")
def ask_now(panel: PanelDependency, form: Form) -> Response:
    """Ask all of them now."""
    form.principal.demand("look")
    look(panel.appliance, subjects_of(panel.appliance), now=panel.clock())
    return RedirectResponse("/updates", 303)
