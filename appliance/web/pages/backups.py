"""Recovery points: what can be gone back to, and whether it was ever proven."""

from fastapi import APIRouter, Response

from appliance.web.panel import PanelDependency
from appliance.web.sessions import LoggedIn
from appliance.web.summaries import instances_of

router = APIRouter(prefix="/backups", include_in_schema=False)


@router.get("")
def list_backups(panel: PanelDependency, principal: LoggedIn, instance: str = "") -> Response:
    """Show the recovery points of all CRMs, or of one."""
    store = panel.appliance.store
    names = [one.name for one in instances_of(store)]
    groups = [(name, store.points.list(name)) for name in names if instance in ("", name)]
    return panel.pages.page(
        "backups.html", principal=principal, section="/backups", groups=groups, names=names, chosen=instance if instance in names else ""
    )
