"""What is asked of the channels in somebody's name."""

from collections.abc import Collection

from appliance.domain.channel import Channel, Purpose
from appliance.operations.channels import add_channel, remove_channel, test_channel
from appliance.web.access import Principal
from appliance.web.panel import Panel


def add(
    panel: Panel,
    principal: Principal,
    *,
    name: str,
    url: str,
    purpose: Purpose,
    severities: Collection[str],
    crms: Collection[str],
    quiet: str,
    zone: str,
    weekly: bool,
) -> Channel:
    """Notify there from now on. Raises Forbidden and what `add_channel` raises."""
    principal.demand("notification-add")
    return add_channel(
        panel.appliance,
        name=name,
        url=url,
        purpose=purpose,
        severities=severities,
        crms=crms,
        quiet=quiet,
        zone=zone,
        weekly=weekly,
        requested_by=principal.name,
        now=panel.clock(),
    )


def remove(panel: Panel, principal: Principal, name: str) -> None:
    """Notify there no longer. Raises Forbidden, NotFound."""
    principal.demand("notification-remove")
    remove_channel(panel.appliance, name, requested_by=principal.name, now=panel.clock())


def test(panel: Panel, principal: Principal, name: str) -> None:
    """Send a message that says it is a test. Raises Forbidden, NotFound, NotSent."""
    principal.demand("notification-test")
    test_channel(panel.appliance, name, requested_by=principal.name, now=panel.clock())
