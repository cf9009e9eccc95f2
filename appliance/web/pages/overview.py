"""The overview: every CRM at a glance, what needs attention, what was done last."""

from fastapi import APIRouter, Response
from fastapi.responses import RedirectResponse

from appliance.domain.snooze import USUAL
from appliance.web import looking
from appliance.web.panel import PanelDependency
from appliance.web.sessions import Form, LoggedIn
from appliance.web.summaries import look_over
from appliance.web.vitals import vitals_of

RECENT = 6
TILES = 12
"""More CRMs than this are found on the page of all; those that need attention come first."""
NOTICES = 12

router = APIRouter(include_in_schema=False)


@router.get("/")
def show_overview(panel: PanelDependency, principal: LoggedIn) -> Response:
    """Show the overview."""
    now, store = panel.clock(), panel.appliance.store
    attention, shown = look_over(panel.appliance, now, shown=TILES)
    return panel.pages.page(
        "overview.html",
        principal=principal,
        section="/",
        summaries=shown,
        count=len(attention),
        looked=looking.look_at(panel.appliance, attention.values(), now),
        notices=NOTICES,
        vitals=vitals_of(panel.appliance, shown, now),
        recent=store.operations.list(limit=RECENT),
    )


@router.post("/attention/snooze")
def snooze(panel: PanelDependency, form: Form) -> Response:
    """Put something out of sight for a day."""
    looking.snooze(panel.appliance, form.principal, form.text("key"), USUAL, panel.clock())
    return RedirectResponse("/", 303)


@router.post("/attention/wake")
def wake(panel: PanelDependency, form: Form) -> Response:
    """Have something in sight again."""
    looking.wake(panel.appliance, form.principal, form.text("key"), panel.clock())
    return RedirectResponse("/", 303)
