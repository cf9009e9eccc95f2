"""Build the panel: pages, API, assets and what guards them."""

from collections.abc import Callable
from datetime import UTC, datetime

from fastapi import Depends, FastAPI

from appliance import __version__
from appliance.domain.own_upgrade import OwnUpgrade
from appliance.web import assets
from appliance.web.api import (
    adoption_calls,
    alert_calls,
    attention_calls,
    audit_calls,
    browser_calls,
    calendar_calls,
    calls,
    description,
    event_calls,
    file_calls,
    health,
    host_calls,
    login_provider_calls,
    notice_calls,
    passkey_calls,
    pending_calls,
    product_calls,
    repository_calls,
    schedule_calls,
    second_factor_calls,
    secret_calls,
    share_calls,
    support_calls,
    token_calls,
    user_calls,
    webhook_calls,
)
from appliance.web.api.tags import Tags
from appliance.web.choosing import Languages
from appliance.web.compression import Compression
from appliance.web.errors import install_handlers
from appliance.web.pages import (
    alerts,
    appearance,
    audit,
    backups,
    browsers,
    certificates,
    changes,
    configuring,
    drills,
    entrance,
    files,
    finding,
    fleet,
    host_adding,
    hosts,
    installation,
    instances,
    login_provider,
    monitoring,
    operations,
    overview,
    products,
    provider_entrance,
    repositories,
    schedules,
    second_factors,
    secrets,
    settings,
    shares,
    status,
    support,
    tables,
    tokens,
    updates,
    users,
    webhooks,
    welcome,
)
from appliance.web.panel import Panel
from appliance.web.security import BodyLimit, SecurityHeaders
from appliance.web.sessions import DOCUMENTED, bearer_of, newcomer_of, principal_of
from appliance.web.tails import Tails
from appliance.web.templating import open_pages
from appliance.wiring import Appliance

PAGES = (
    overview,
    welcome,
    instances,
    installation,
    products,
    changes,
    configuring,
    certificates,
    hosts,
    host_adding,
    updates,
    fleet,
    schedules,
    operations,
    shares,
    backups,
    files,
    tables,
    drills,
    repositories,
    monitoring,
    alerts,
    audit,
    browsers,
    finding,
    settings,
    support,
    login_provider,
    tokens,
    users,
    webhooks,
    secrets,
)
API = (
    adoption_calls,
    alert_calls,
    attention_calls,
    audit_calls,
    browser_calls,
    calendar_calls,
    calls,
    event_calls,
    file_calls,
    host_calls,
    login_provider_calls,
    notice_calls,
    passkey_calls,
    pending_calls,
    product_calls,
    repository_calls,
    schedule_calls,
    second_factor_calls,
    secret_calls,
    share_calls,
    support_calls,
    token_calls,
    user_calls,
    webhook_calls,
)
DESCRIPTION = """Everything the appliance does, for programs.

Send a bearer token. A refusal is a problem document (RFC 9457) that says what was left unchanged. Operations are requested,
recorded and then carried out by a worker: follow them by their log, or ask for them again. A token is asked neither for a second
factor nor to confirm what is grave: keep it as you keep a password.
"""


def _now() -> datetime:
    return datetime.now(UTC)


def create_app(
    appliance: Appliance,
    *,
    clock: Callable[[], datetime] = _now,
    is_closing: Callable[[], bool] = lambda: False,
    last_upgrade: Callable[[], OwnUpgrade | None] = lambda: None,
) -> FastAPI:
    """Build the ASGI application; streams end when it `is_closing`, and `last_upgrade` tells of the appliance's own.

    Raises ConfigurationError when the assets are missing.
    """
    app = FastAPI(title="CRM Appliance", version=__version__, description=DESCRIPTION, docs_url=None, redoc_url=None, openapi_url=None)
    loaded = assets.load_assets()
    app.state.panel = Panel(
        appliance=appliance,
        pages=open_pages(loaded, clock),
        assets=loaded,
        clock=clock,
        tails=Tails(store=appliance.store),
        is_closing=is_closing,
        last_upgrade=last_upgrade,
    )
    for page in PAGES:  # each page is closed to strangers before anything else of the request is looked at
        app.include_router(page.router, dependencies=[Depends(principal_of)])
    app.include_router(second_factors.router, dependencies=[Depends(newcomer_of)])
    for api in API:
        app.include_router(api.router, dependencies=[Depends(bearer_of), Depends(DOCUMENTED)])
    for module in (entrance, provider_entrance, appearance, assets, description, health, status):
        app.include_router(module.router)
    app.include_router(shares.outside)
    install_handlers(app)
    app.add_middleware(Languages)
    app.add_middleware(Tags)
    app.add_middleware(Compression)
    app.add_middleware(BodyLimit)
    app.add_middleware(SecurityHeaders)
    return app
