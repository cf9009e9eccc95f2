"""What is asked of the repositories elsewhere in somebody's name, and the recovery kit that opens them."""

from collections.abc import Mapping

from appliance.domain.kit import text_of
from appliance.domain.repository import Repository
from appliance.operations.kits import recovery_kit
from appliance.operations.repositories import add_repository, remove_repository, retain, retain_all
from appliance.web.access import Principal
from appliance.web.panel import Panel


def add(panel: Panel, principal: Principal, *, name: str, location: str, secrets: Mapping[str, str]) -> Repository:
    """Copy recovery points there from now on. Raises Forbidden and what `add_repository` raises."""
    principal.demand("repository-add")
    return add_repository(panel.appliance, name=name, location=location, secrets=secrets, requested_by=principal.name, now=panel.clock())


def thin(
    panel: Panel, principal: Principal, name: str, *, location: str | None, keep: Mapping[str, int], secrets: Mapping[str, str]
) -> Repository:
    """Say what is kept there, and with what the rest is given up. Raises Forbidden and what `retain` raises."""
    principal.demand("repository-retention")
    return retain(panel.appliance, name, location=location, keep=keep, secrets=secrets, by=principal.name, now=panel.clock())


def keep_all(panel: Panel, principal: Principal, name: str) -> None:
    """Give up nothing there any more. Raises Forbidden, NotFound."""
    principal.demand("repository-retention")
    retain_all(panel.appliance, name, by=principal.name, now=panel.clock())


def remove(panel: Panel, principal: Principal, name: str) -> None:
    """Copy nothing there any more. Raises Forbidden, NotFound."""
    principal.demand("repository-remove")
    remove_repository(panel.appliance, name, requested_by=principal.name, now=panel.clock())


def kit_text(panel: Panel, principal: Principal) -> str:
    """The recovery kit, to print or to keep; the audit remembers who saw it. Raises Forbidden, Conflict."""
    principal.demand("reveal")
    text = text_of(recovery_kit(panel.appliance, panel.clock()))
    panel.appliance.store.access.audit(actor=principal.name, action="show recovery kit", subject="appliance", detail={}, now=panel.clock())
    return text
