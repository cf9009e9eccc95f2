"""Give the support bundle out, to browsers and programs alike; the audit remembers who took one."""

from fastapi import Response

from appliance.operations.supporting import support_bundle
from appliance.operations.this_machine import examine_this_machine
from appliance.web.access import Principal
from appliance.web.downloads import disposition
from appliance.web.panel import Panel

RIGHT = "support"


def give(panel: Panel, principal: Principal) -> Response:
    """The bundle as it is now. Raises Forbidden."""
    principal.demand(RIGHT)
    now = panel.clock()
    bundle = support_bundle(panel.appliance, examine_this_machine(panel.appliance), now)
    panel.appliance.store.access.audit(actor=principal.name, action="support bundle", subject="appliance", detail={}, now=now)
    name = f"crm-appliance-support-{now:%Y%m%d-%H%M%S}.tar.gz"
    headers = {"Content-Disposition": disposition(name), "Cache-Control": "no-store"}
    return Response(bundle, media_type="application/gzip", headers=headers)
