"""What the forms of the panel say of how something is patched."""

from typing import Any

from appliance.domain.host import FLEET, patch_kind
from appliance.errors import InvalidRequest
from appliance.operations.kinds.host_patch import What
from appliance.operations.kinds.patch import PATCH
from appliance.web.languages import gettext
from appliance.web.sessions import Submission


def patch_parameters(form: Submission, subject: str) -> dict[str, Any]:
    """The parameters of a patch of that subject; of a CRM there is nothing to choose. Raises InvalidRequest."""
    canaries = form.ticked("canary")
    if canaries and subject != FLEET:
        raise InvalidRequest(gettext("Only the fleet has canaries: choose it, or tick none. Nothing was changed."), field="canaries")
    if patch_kind(subject) == PATCH.kind:
        return {}
    of_hosts = {"what": form.text("what") or What.SECURITY.value, "reboot": bool(form.text("reboot"))}
    return of_hosts | ({"canaries": canaries} if subject == FLEET else {})
