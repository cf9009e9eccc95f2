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


def open_appliance(settings: Settings) -> Appliance:
    """Open the store and the catalogue. Raises ConfigurationError."""
    return Appliance(
        settings=settings,
        store=open_store(settings.database_file, settings.key_file),
        catalogue=open_catalogue(settings.etc / "products"),
    )
