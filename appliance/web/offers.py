"""What the catalogue offers: products to install, their settings as form fields, releases to go to."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from appliance.domain.instance import Instance
from appliance.domain.product import ProductDefinition
from appliance.domain.product_settings import BOOLEAN, Setting, Value, as_text
from appliance.domain.versions import Move, Path, itinerary, reachable
from appliance.errors import NotFound
from appliance.products.catalogue import Catalogue
from appliance.web.languages import gettext

PREFIX = "setting."
"""Begins the name of a form field that holds a setting."""


@dataclass(frozen=True, kw_only=True)
class SettingField:
    """A setting of a product as a form field; `choices` is empty for free text."""

    id: str
    name: str
    title: str
    help: str
    choices: tuple[str, ...]
    value: str
    fixed: bool


@dataclass(frozen=True, kw_only=True)
class SettingChange:
    """A setting that gets another value."""

    id: str
    title: str
    before: str
    after: str


@dataclass(frozen=True, kw_only=True)
class Offer:
    """A release that an instance can go to in one upgrade."""

    version: str
    note: str


def offered_products(catalogue: Catalogue) -> list[ProductDefinition]:
    """Every product, by name."""
    return [product.definition for product in catalogue.list()]


def offered_product(catalogue: Catalogue, product: str) -> ProductDefinition:
    """One product. Raises NotFound."""
    return catalogue.get(product).definition


def find_product(catalogue: Catalogue, product: str) -> ProductDefinition | None:
    """One product, or None when its definition is gone."""
    try:
        return offered_product(catalogue, product)
    except NotFound:
        return None


def setting_fields(product: ProductDefinition, values: Mapping[str, str]) -> list[SettingField]:
    """The fields of a product's settings, filled with what was given before or else the defaults."""
    return [
        SettingField(
            id=PREFIX + setting.name,
            name=setting.name,
            title=setting.title,
            help=setting.help or "",
            choices=BOOLEAN if setting.type == "boolean" else setting.choices,
            value=values.get(PREFIX + setting.name, as_text(setting.default)),
            fixed=setting.fixed,
        )
        for setting in product.settings
    ]


def typed_values(product: ProductDefinition, kept: Mapping[str, Any]) -> dict[str, str]:
    """The settings of a CRM as the fields of a form hold them."""
    return {PREFIX + name: as_text(value) for name, value in product.settings_in_force(kept).items()}


def given_settings(product: ProductDefinition, values: Mapping[str, str], *, empty: bool = False) -> dict[str, Value]:
    """What a form says about the settings, in their types; `empty` fields are left out, and so to their defaults, unless they count."""
    known: dict[str, Setting] = {setting.name: setting for setting in product.settings}
    given = {name.removeprefix(PREFIX): value.strip() for name, value in values.items() if name.startswith(PREFIX)}
    return {name: known[name].read(text) if name in known else text for name, text in given.items() if text or empty}


def setting_changes(product: ProductDefinition, kept: Mapping[str, Any], changed: Mapping[str, Value]) -> list[SettingChange]:
    """From what to what each would go."""
    before = product.settings_in_force(kept)
    return [
        SettingChange(
            id=PREFIX + setting.name,
            title=setting.title,
            before=as_text(before.get(setting.name)),
            after=as_text(changed[setting.name]),
        )
        for setting in product.settings
        if setting.name in changed
    ]


def upgrade_offers(product: ProductDefinition | None, instance: Instance) -> list[Offer]:
    """The releases that one operation leads to, newest first; none when the definition or the release is gone."""
    if product is None or all(release.version != instance.release for release in product.releases):
        return []
    later = reversed(reachable(product, instance.release))
    return [Offer(version=release.version, note=_note(itinerary(product, instance.release, release.version))) for release in later]


def _note(hops: Sequence[Path]) -> str:
    *before, last = hops
    if last.move is Move.PATCH:
        return gettext("patch of this series")
    return ", ".join(
        [
            gettext("series %(series)s", series=last.target.series),
            *(gettext("over %(version)s", version=hop.target.version) for hop in before),
        ]
    )
