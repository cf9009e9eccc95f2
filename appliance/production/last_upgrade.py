"""What the panel shows of the appliance's own upgrades."""

from datetime import datetime

from appliance.domain.own_upgrade import OwnUpgrade
from appliance.errors import ConfigurationError
from appliance.production.intent import read_intent, read_outcome
from appliance.production.places import Places


def last_upgrade(places: Places) -> OwnUpgrade | None:
    """The one that is under way, or else how the last one ended; None where there was none, or nothing of it can be read."""
    try:
        if (intent := read_intent(places)) is not None:
            return OwnUpgrade(kind=intent.kind, source=intent.source.name, target=intent.target.name)
    except (ConfigurationError, LookupError, TypeError, ValueError):
        return None
    outcome = read_outcome(places)
    if outcome is None:
        return None
    told = {name: str(getattr(outcome, name)) for name in ("kind", "source", "target", "result", "cause")}
    return OwnUpgrade(**told, at=datetime.fromisoformat(outcome.at))
