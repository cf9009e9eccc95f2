"""The collaborators that pages, commands and the worker are given."""

from dataclasses import dataclass

from appliance.config import Settings
from appliance.products.catalogue import Catalogue, open_catalogue
from appliance.store import Store, open_store


@dataclass(frozen=True, kw_only=True)
class Appliance:
    """Everything a request, a step or a page needs to reach."""

    settings: Settings
    store: Store
    catalogue: Catalogue


def open_appliance(settings: Settings, *, keeps_connections: bool = False) -> Appliance:
    """Open the store and the catalogue; `keeps_connections` for a process that asks often and never forks. Raises ConfigurationError."""
    return Appliance(
        settings=settings,
        store=open_store(settings.database_file, settings.key_file, keeps_connections=keeps_connections),
        catalogue=open_catalogue(settings.etc / "products"),
    )
