"""Build the panel: pages, API, assets and what guards them."""

from collections.abc import Callable
from datetime import UTC, datetime

from fastapi import Depends, FastAPI

from appliance import __version__
from appliance.web import assets
from appliance.web.api import (
    alert_calls,
    calls,
    description,
    file_calls,
    health,
    host_calls,
    notice_calls,
    pending_calls,
    repository_calls,
    schedule_calls,
)
from appliance.web.errors import install_handlers
from appliance.web.pages import (
    alerts,
    backups,
    certificates,
    changes,
    drills,
    entrance,
    files,
    fleet,
    host_adding,
    hosts,
    installation,
    instances,
    monitoring,
    operations,
    overview,
    repositories,
    schedules,
    status,
    tables,
    updates,
)
from appliance.web.panel import Panel
from appliance.web.security import BodyLimit, SecurityHeaders
from appliance.web.sessions import DOCUMENTED, bearer_of, principal_of
from appliance.web.templating import open_pages
from appliance.wiring import Appliance

PAGES = (
    overview,
    instances,
    installation,
    changes,
    certificates,
    hosts,
    host_adding,
    updates,
    fleet,
    schedules,
    operations,
    backups,
    files,
    tables,
    drills,
    repositories,
    monitoring,
    alerts,
)
DESCRIPTION = """Everything the appliance does, for programs.

Send a bearer token. A refusal is a problem document (RFC 9457) that says what was left unchanged. Operations are requested,
recorded and then carried out by a worker: follow them by their log, or ask for them again.
"""


def _now() -> datetime:
    return datetime.now(UTC)


def create_app(appliance: Appliance, *, clock: Callable[[], datetime] = _now) -> FastAPI:
    """Build the ASGI application. Raises ConfigurationError when the assets are missing."""
    app = FastAPI(title="CRM Appliance", version=__version__, description=DESCRIPTION, docs_url=None, redoc_url=None, openapi_url=None)
    loaded = assets.load_assets()
    app.state.panel = Panel(appliance=appliance, pages=open_pages(loaded, clock), assets=loaded, clock=clock)
    for page in PAGES:  # each page is closed to strangers before anything else of the request is looked at
        app.include_router(page.router, dependencies=[Depends(principal_of)])
    for api in (alert_calls, calls, file_calls, host_calls, notice_calls, pending_calls, repository_calls, schedule_calls):
        app.include_router(api.router, dependencies=[Depends(bearer_of), Depends(DOCUMENTED)])
    for module in (entrance, assets, description, health, status):
        app.include_router(module.router)
    install_handlers(app)
    app.add_middleware(BodyLimit)
    app.add_middleware(SecurityHeaders)
    return app
