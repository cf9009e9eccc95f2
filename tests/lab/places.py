"""Where the lab keeps what, and what it calls things on the machine; every name of its own begins with `crmlab`."""

import os
from dataclasses import dataclass
from pathlib import Path

HERE = Path(__file__).resolve().parent
TREE = HERE.parents[1]
STATE = Path("/run/crmlab")
"""Locks and records: the same for all runs on this machine, whatever their cache."""
BRIDGE = "crmlab0"
NETWORK = "10.77.3"
BRIDGE_ADDRESS = f"{NETWORK}.1"
PROXY_PORT = 3143
"""Not Debian's own port of apt-cacher-ng, which may be taken."""
LARGEST_SLOT = 99


def cache() -> Path:
    """The lab's part of the cache that bin/test keeps outside the clone."""
    shared = os.environ.get("GROUNDWORK_CACHE") or Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "crm-appliance-test"
    return Path(shared) / "lab"


@dataclass(frozen=True, kw_only=True)
class Slot:
    """A place for one host; its number fixes every name and address."""

    number: int

    @property
    def name(self) -> str:
        """Host name."""
        return f"lab{self.number:02}"

    @property
    def address(self) -> str:
        """Its address on the bridge."""
        return f"{NETWORK}.{100 + self.number}"

    @property
    def mac(self) -> str:
        """Fixed, or else a reused address would meet what the machine remembers of another host."""
        return f"02:4c:ab:00:00:{self.number:02x}"

    @property
    def link(self) -> str:
        """The machine's end of its cable."""
        return f"crmlab{self.number:02}"

    @property
    def directory(self) -> Path:
        """Its disk, keys and console log."""
        return cache() / "hosts" / self.name

    @property
    def record(self) -> Path:
        """What is known of the host that is in it."""
        return STATE / f"{self.name}.json"

    @property
    def lock(self) -> Path:
        """Locked as long as the run that made the host lives."""
        return STATE / f"{self.name}.lock"


SLOTS = tuple(Slot(number=number) for number in range(1, LARGEST_SLOT + 1))
