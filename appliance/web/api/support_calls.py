"""The support bundle, under /api/v1."""

from fastapi import APIRouter, Response

from appliance.web import supporting
from appliance.web.api.refusals import PROBLEMS
from appliance.web.panel import PanelDependency
from appliance.web.sessions import Bearer

router = APIRouter(prefix="/api/v1", responses=PROBLEMS)


@router.get("/support-bundle", response_class=Response, responses={200: {"content": {"application/gzip": {}}}})
def get_support_bundle(panel: PanelDependency, principal: Bearer) -> Response:
    """Give what somebody who helps has to know, as a tar archive without any secret."""
    return supporting.give(panel, principal)
