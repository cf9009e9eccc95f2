"""The overview: every CRM at a glance, what needs attention, what was done last."""

from fastapi import APIRouter, Response

from appliance.web.machines import attention_of_hosts, summarize_hosts
from appliance.web.panel import PanelDependency
from appliance.web.sessions import LoggedIn
from appliance.web.summaries import summarize_all

RECENT = 6

router = APIRouter(include_in_schema=False)


@router.get("/")
def show_overview(panel: PanelDependency, principal: LoggedIn) -> Response:
    """Show the overview."""
    store = panel.appliance.store
    summaries = summarize_all(panel.appliance, panel.clock())
    attention = [item for summary in summaries for item in summary.attention] + attention_of_hosts(summarize_hosts(store), panel.clock())
    recent = store.operations.list(limit=RECENT)
    return panel.pages.page("overview.html", principal=principal, section="/", summaries=summaries, attention=attention, recent=recent)
