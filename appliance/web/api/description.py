"""The OpenAPI document; those who may use the API or the panel may read it."""

from typing import Any

from fastapi import APIRouter, Request

from appliance.errors import Unauthenticated
from appliance.web.panel import PanelDependency
from appliance.web.sessions import bearer_of, guest_of, principal_of

router = APIRouter(include_in_schema=False)


@router.get("/api/v1/openapi.json")
def describe(request: Request, panel: PanelDependency) -> dict[str, Any]:
    """Give the document."""
    try:
        bearer_of(request, panel)
    except Unauthenticated:
        principal_of(guest_of(request, panel))
    description: dict[str, Any] = request.app.openapi()
    return description
