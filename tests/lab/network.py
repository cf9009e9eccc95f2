"""The hosts' network: a bridge that leads nowhere, and a cable for each host."""

from pathlib import Path

from tests.lab import places
from tests.lab.places import Slot
from tests.lab.programs import run, succeeds

LINKS = Path("/sys/class/net")


def make_bridge() -> None:
    """Make the bridge, unless it is there; this machine has an address on it and forwards nothing."""
    if not (LINKS / places.BRIDGE).exists():
        run("ip", "link", "add", places.BRIDGE, "type", "bridge")
    run("ip", "addr", "replace", f"{places.BRIDGE_ADDRESS}/24", "dev", places.BRIDGE)
    run("ip", "link", "set", places.BRIDGE, "up")


def remove_bridge() -> None:
    """Remove it, if it is there."""
    if (LINKS / places.BRIDGE).exists():
        run("ip", "link", "del", places.BRIDGE)


def has_cable(slot: Slot) -> bool:
    """Whether the machine's end of a host's cable is there."""
    return (LINKS / slot.link).exists()


def switch(slot: Slot, state: str) -> None:
    """Unplug (`down`) or plug in (`up`) a host's cable at the machine's end."""
    run("ip", "link", "set", slot.link, state)


def remove_cable(slot: Slot) -> None:
    """Remove both ends; one that vanishes at this moment with its host is as good."""
    succeeds("ip", "link", "del", slot.link)
