"""Be the user to whom the appliance's home belongs, before anything of it is opened: no file of root's may appear there."""

import os
import pwd

from appliance.config import Settings
from appliance.production.account import become


def become_owner(settings: Settings) -> None:
    """As root of a machine where the appliance has a user of its own, be that user from here on; otherwise nothing happens.

    Whatever a command reads or writes by path as its caller, it does before.
    """
    if os.geteuid() == 0 and settings.home.is_dir() and (user := settings.home.stat().st_uid) != 0:
        become(pwd.getpwuid(user), settings.home)
