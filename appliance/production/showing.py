"""Which certificate the panel shows, changed or renewed by root, decided in the name of the appliance's user."""

from datetime import datetime
from typing import Any

from appliance.config import Settings
from appliance.production import certificate, placing
from appliance.production.account import as_user
from appliance.production.places import Places
from appliance.wiring import open_appliance


def show(settings: Settings, given: tuple[str, str] | None, *, give_up_own: bool, now: datetime) -> bool:
    """Take a certificate and key that were given, or go back to the authority's, and have nginx show it; whether anything changed.

    Raises InvalidRequest for one that visitors would be warned of, StepFailed when nginx does not take it.
    """

    def decide() -> dict[str, Any]:
        appliance = open_appliance(settings)
        if given is not None:
            certificate.bring(appliance, *given, now)
        elif give_up_own:
            certificate.give_up_own(appliance)
        return {}

    as_user(settings, decide)
    return placing.place_site(settings, Places())
