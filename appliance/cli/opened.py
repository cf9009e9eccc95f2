"""Open the appliance for a command."""

import getpass
from datetime import UTC, datetime

from appliance.config import load_settings
from appliance.wiring import Appliance, open_appliance


def opened() -> Appliance:
    """The appliance of this machine. Raises ConfigurationError."""
    return open_appliance(load_settings())


def who() -> str:
    """The name that the journal and the audit remember."""
    return f"{getpass.getuser()} (command line)"


def now() -> datetime:
    """The moment, aware."""
    return datetime.now(UTC)
