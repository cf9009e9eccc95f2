"""A CRM's settings as they are typed: `--set NAME=VALUE`."""

from collections.abc import Mapping, Sequence
from typing import Any

from appliance.cli.opened import opened
from appliance.cli.remote import remote
from appliance.domain.product_settings import Setting, Value
from appliance.errors import InvalidRequest


def read_pairs(given: list[str]) -> dict[str, Any]:
    """What was said as key=value. Raises InvalidRequest."""
    pairs = [pair.partition("=") for pair in given]
    if wrong := next((pair for pair in pairs if not pair[1] or not pair[0]), None):
        raise InvalidRequest(f"{''.join(wrong)!r} is not of the form key=value. Nothing was changed.", field="set")
    return {key: value for key, _, value in pairs}


def read_settings(settings: Sequence[Setting], typed: Mapping[str, str]) -> dict[str, Value]:
    """What was typed, as values of the settings of these names; the rest stays text, and is refused by its name later."""
    by_name = {setting.name: setting for setting in settings}
    return {name: by_name[name].read(text) if name in by_name else text for name, text in typed.items()}


def settings_of(product: str) -> Sequence[Setting]:
    """What a product lets choose; nothing of one that a panel elsewhere does not have. Raises NotFound."""
    if (panel := remote()) is not None:
        listed = {one["id"]: one["settings"] for one in panel.get("/products")}
        return [Setting.model_validate(one) for one in listed.get(product, [])]
    return opened().catalogue.get(product).definition.settings
