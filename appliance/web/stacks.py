"""What there is to say of the monitoring stack of a host."""

from dataclasses import dataclass

from appliance.domain.channel import Purpose
from appliance.operations.stack.kept import dead_man_of, stack_hosts
from appliance.wiring import Appliance


@dataclass(frozen=True, kw_only=True)
class Stack:
    """`is_there` from the first change on; `heartbeats` are the channels that `dead_man` can be chosen from."""

    is_there: bool
    dead_man: str
    heartbeats: tuple[str, ...]


def stack_of(appliance: Appliance, host: str) -> Stack:
    """Of that host."""
    return Stack(
        is_there=host in stack_hosts(appliance),
        dead_man=dead_man_of(appliance, host),
        heartbeats=tuple(channel.name for channel in appliance.store.channels.list() if channel.purpose is Purpose.HEARTBEAT),
    )
