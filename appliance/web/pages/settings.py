"""The page of the appliance itself."""

import os
from dataclasses import dataclass

from fastapi import APIRouter, Response

from appliance.config import Settings, settings_file, variable
from appliance.web.own_state import RIGHT, groups_of
from appliance.web.panel import PanelDependency
from appliance.web.sessions import LoggedIn

router = APIRouter(include_in_schema=False)


@dataclass(frozen=True, kw_only=True)
class Value:
    """A setting as it is in force, and where it was set; empty where it is the usual one."""

    name: str
    text: str
    origin: str


@router.get("/settings")
def show(panel: PanelDependency, principal: LoggedIn) -> Response:
    """Show everything that belongs to the appliance itself."""
    principal.demand(RIGHT)
    settings = panel.appliance.settings
    return panel.pages.page(
        "settings.html",
        principal=principal,
        section="/settings",
        groups=groups_of(panel),
        values=[_value(settings, field) for field in Settings.model_fields],
        file=settings_file(os.environ),
        is_production=settings.production,
    )


def _value(settings: Settings, field: str) -> Value:
    """No setting is a secret: those are in the vault, or in files of their own that a setting only names."""
    value, is_usual = getattr(settings, field), getattr(settings, field) == Settings.model_fields[field].default
    origin = "" if is_usual else variable(field) if variable(field) in os.environ else str(settings_file(os.environ))
    return Value(name=field, text=_text(value), origin=origin)


def _text(value: object) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    return ", ".join(map(str, value)) if isinstance(value, tuple) else str(value)
