"""The settings of an instance: what they are, and changing them."""

from collections.abc import Mapping, Sequence
from typing import Annotated, Any
from urllib.parse import quote

import typer

from appliance.cli.instances import Name
from appliance.cli.opened import opened
from appliance.cli.output import AsJson, console, print_json, print_table
from appliance.cli.remote import remote
from appliance.cli.requested import Detach, carry_out
from appliance.cli.typed_settings import read_pairs, read_settings, settings_of
from appliance.domain.product_settings import Setting, Value, as_text, changes, in_force

app = typer.Typer()


@app.command("settings")
def show_or_change_settings(
    name: Name,
    wanted: Annotated[list[str] | None, typer.Option("--set", metavar="NAME=VALUE", help="A setting to change; may be repeated.")] = None,
    yes: Annotated[bool, typer.Option("--yes", help="Do not say what would change, and do not ask.")] = False,
    detach: Detach = False,
    as_json: AsJson = False,
) -> None:
    """Show an instance's settings, or change some: tried on a private port first; users briefly read a maintenance page."""
    settings, kept = _known(name)
    if not wanted:
        _show(settings, kept, as_json=as_json)
        return
    changed = changes(settings, kept, read_settings(settings, read_pairs(wanted)))
    if not yes:
        _ask_before(settings, kept, changed)
    carry_out("configure", name, {"settings": changed}, as_json=as_json, detach=detach)


def _known(name: str) -> tuple[Sequence[Setting], Mapping[str, Any]]:
    """What the product lets choose, and what the instance has. Raises NotFound."""
    if (panel := remote()) is not None:
        instance = panel.get(f"/instances/{quote(name, safe='')}")
        return settings_of(instance["product"]), instance["settings"]
    found = opened().store.instances.get(name)
    return settings_of(found.product), found.settings


def _show(settings: Sequence[Setting], kept: Mapping[str, Any], *, as_json: bool) -> None:
    values = in_force(settings, kept)
    if as_json:
        print_json(values)
        return
    rows = [(setting.name, setting.title, as_text(values.get(setting.name)), _may_be(setting)) for setting in settings]
    print_table(("NAME", "SETTING", "VALUE", "MAY BE"), rows, empty="Its product has no settings.")


def _may_be(setting: Setting) -> str:
    if setting.fixed:
        return "as it was installed"
    if setting.type == "boolean":
        return "no, yes"
    if setting.type == "integer":
        return f"{as_text(setting.min) or '…'} to {as_text(setting.max) or '…'}"
    return ", ".join(setting.choices) or (setting.help or "a text")


def _ask_before(settings: Sequence[Setting], kept: Mapping[str, Any], changed: Mapping[str, Value]) -> None:
    values = in_force(settings, kept)
    for setting in settings:
        if setting.name in changed:
            before = as_text(values.get(setting.name)) or "nothing"
            console.print(f"{setting.title}: {before} to {as_text(changed[setting.name]) or 'nothing'}", markup=False)
    typer.confirm("The CRM starts anew with that; its users briefly read a maintenance page. Go on?", abort=True)
