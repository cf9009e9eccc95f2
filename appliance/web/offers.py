"""What the catalogue offers: products to install, their settings as form fields, releases to go to."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from appliance.domain.instance import Instance
from appliance.domain.product import ProductDefinition
from appliance.domain.product_settings import Value
from appliance.domain.versions import Move, Path, itinerary, reachable
from appliance.errors import NotFound
from appliance.products.catalogue import Catalogue

PREFIX = "setting."
"""Begins the name of a form field that holds a setting."""
BOOLEAN = ("no", "yes")
WHOLE_NUMBER = re.compile(r"-?[0-9]{1,18}")


@dataclass(frozen=True, kw_only=True)
class SettingField:
    """A setting of a product as a form field; `choices` is empty for free text."""

    id: str
    name: str
    title: str
    help: str
    choices: tuple[str, ...]
    value: str


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
            value=values.get(PREFIX + setting.name, _as_text(setting.default)),
        )
        for setting in product.settings
    ]


def given_settings(product: ProductDefinition, values: Mapping[str, str]) -> dict[str, Value]:
    """What a form says about the settings, in their types; empty fields are left to their defaults."""
    types = {setting.name: setting.type for setting in product.settings}
    given = {name.removeprefix(PREFIX): value.strip() for name, value in values.items() if name.startswith(PREFIX) and value.strip()}
    return {name: _as_type(types.get(name, "text"), value) for name, value in given.items()}


def _as_text(default: Value | None) -> str:
    if isinstance(default, bool):
        return BOOLEAN[default]
    return "" if default is None else str(default)


def _as_type(kind: str, text: str) -> Value:
    if kind == "boolean" and text in BOOLEAN:
        return bool(BOOLEAN.index(text))
    if kind == "integer" and WHOLE_NUMBER.fullmatch(text):
        return int(text)
    return text


def upgrade_offers(product: ProductDefinition | None, instance: Instance) -> list[Offer]:
    """The releases that one operation leads to, newest first; none when the definition or the release is gone."""
    if product is None or all(release.version != instance.release for release in product.releases):
        return []
    later = reversed(reachable(product, instance.release))
    return [Offer(version=release.version, note=_note(itinerary(product, instance.release, release.version))) for release in later]


def _note(hops: Sequence[Path]) -> str:
    *before, last = hops
    if last.move is Move.PATCH:
        return "patch of this series"
    return f"series {last.target.series}" + "".join(f", over {hop.target.version}" for hop in before)
