"""What is asked of the secrets in somebody's name."""

from collections.abc import Mapping, Sequence

from appliance.operations.kept_secrets import Kept, Owner, kept_of, owners, replace_secret
from appliance.web.access import Principal
from appliance.web.panel import Panel

RIGHT = "secrets"


def owners_seen_by(panel: Panel, principal: Principal) -> list[Owner]:
    """Everybody who has secrets here. Raises Forbidden."""
    principal.demand(RIGHT)
    return owners(panel.appliance)


def seen_by(panel: Panel, principal: Principal, some: Sequence[Owner]) -> list[Kept]:
    """What is kept of these. Raises Forbidden."""
    principal.demand(RIGHT)
    return kept_of(panel.appliance, some)


def replace(panel: Panel, principal: Principal, kind: str, name: str, values: Mapping[str, str]) -> None:
    """Set them from now on. Raises Forbidden, NotFound, InvalidRequest."""
    principal.demand(RIGHT)
    replace_secret(panel.appliance, kind, name, values, requested_by=principal.name, now=panel.clock())
