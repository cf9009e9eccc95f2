"""Turn a form into a request of an operation, and its refusal into what the form shows again."""

from collections.abc import Callable, Mapping
from typing import Any

from fastapi import Response
from fastapi.responses import RedirectResponse

from appliance.domain.operation import Operation
from appliance.domain.request_key import RequestKey
from appliance.errors import Conflict, InvalidRequest, PreflightFailed
from appliance.operations.requesting import request
from appliance.web.access import Principal, right_for
from appliance.web.errors import Problem, problem_of
from appliance.web.languages import gettext
from appliance.web.panel import Panel

Refusal = InvalidRequest | Conflict | PreflightFailed


def send(
    panel: Panel, principal: Principal, kind: str, instance: str, parameters: Mapping[str, Any], *, key: RequestKey | None = None
) -> Operation:
    """Request an operation in somebody's name. Raises Forbidden and what `request` raises."""
    principal.demand(right_for(kind, parameters), instance)
    return request(panel.appliance, kind, instance, parameters, requested_by=principal.name, now=panel.clock(), key=key)


def send_or_show(requesting: Callable[[], Operation], show: Callable[[Problem], Response]) -> Response:
    """Go to the new operation's page, or show the form again with what is wrong in it."""
    try:
        operation = requesting()
    except (InvalidRequest, Conflict, PreflightFailed) as error:
        return show(problem_of(error))
    return RedirectResponse(f"/operations/{operation.id}", 303)


def check_typed_name(typed: str, name: str) -> None:
    """Raise InvalidRequest unless the name was typed as it is."""
    if typed != name:
        raise InvalidRequest(gettext("This is not the name. Type %(name)s to go on; nothing was changed.", name=name), field="confirmation")
