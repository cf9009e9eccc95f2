"""Open the appliance for a command."""

import getpass
import os
from datetime import UTC, datetime

from appliance.cli.owner import become_owner
from appliance.config import load_settings
from appliance.errors import ConfigurationError
from appliance.wiring import Appliance, open_appliance


def opened() -> Appliance:
    """The appliance of this machine. Raises ConfigurationError."""
    settings = load_settings()
    become_owner(settings)
    place = settings.home if settings.home.exists() else settings.home.parent
    if not os.access(place, os.W_OK):
        raise ConfigurationError(f"{place} cannot be written by {getpass.getuser()}. Nothing was changed; run this as root.")
    return open_appliance(settings)


def who() -> str:
    """The name that the journal and the audit remember."""
    return f"{getpass.getuser()} (command line)"


def now() -> datetime:
    """The moment, aware."""
    return datetime.now(UTC)
