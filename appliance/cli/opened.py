"""Open the appliance for a command."""

import getpass
import os
from datetime import UTC, datetime

from appliance.cli.owner import become_owner
from appliance.cli.remote import CHOSEN
from appliance.config import Settings, load_settings
from appliance.errors import ConfigurationError, InvalidRequest
from appliance.wiring import Appliance, open_appliance


def opened(*, keeps_connections: bool = False) -> Appliance:
    """The appliance of this machine; `keeps_connections` for a process that asks often and never forks. Raises ConfigurationError."""
    settings = settings_here()
    become_owner(settings)
    place = settings.home if settings.home.exists() else settings.home.parent
    if not os.access(place, os.W_OK):
        raise ConfigurationError(f"{place} cannot be written by {getpass.getuser()}. Nothing was changed; run this as root.")
    return open_appliance(settings, keeps_connections=keeps_connections)


def settings_here() -> Settings:
    """The settings of this machine. Raises InvalidRequest for a command that cannot be given to another one."""
    if CHOSEN.get() is not None:
        raise InvalidRequest(
            "This command works only on the appliance's own machine. Nothing was done; run it there, without --url.", field="url"
        )
    return load_settings()


def who() -> str:
    """The name that the journal and the audit remember."""
    return f"{getpass.getuser()} (command line)"


def now() -> datetime:
    """The moment, aware."""
    return datetime.now(UTC)
