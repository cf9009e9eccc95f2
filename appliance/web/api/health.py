"""Whether the panel is alive, and whether it can do its work; both without logging in, and telling nothing else."""

from fastapi import APIRouter, Response
from sqlalchemy.exc import DBAPIError

from appliance.operations.worker_lock import is_held
from appliance.store.database import Database, is_current
from appliance.web.panel import PanelDependency

router = APIRouter(include_in_schema=False)


@router.get("/healthz")
def tell_alive() -> dict[str, str]:
    """Answer at all."""
    return {"status": "alive"}


@router.get("/readyz")
def tell_ready(panel: PanelDependency, response: Response) -> dict[str, bool]:
    """Answer 200 when the store is reachable and migrated and a worker lives, else 503 with what is missing."""
    checks = {
        "store": is_store_ready(panel.appliance.store.database),
        "worker": is_held(panel.appliance.settings.worker_lock),
    }
    response.status_code = 200 if all(checks.values()) else 503
    return checks


def is_store_ready(database: Database) -> bool:
    """Whether the store can be read and has the schema of this version."""
    try:
        return is_current(database)
    except DBAPIError:
        return False
