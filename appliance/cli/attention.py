"""What needs attention, as the overview says it, and putting it out of sight for a while."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Annotated, Any
from urllib.parse import quote

import typer
from rich.markup import escape

from appliance.cli.opened import now, opened, who
from appliance.cli.output import AsJson, console, moment, plain, print_json, print_table
from appliance.cli.remote import remote
from appliance.domain.host import title_of
from appliance.domain.inert import inert
from appliance.domain.objectives import read_length
from appliance.domain.snooze import USUAL

app = typer.Typer(help="What needs attention, the worst first.")

SEEN = ("key", "subject", "severity", "text", "address", "mends")
Key = Annotated[str, typer.Argument(help="What `appliance attention` names it by.", show_default=False)]
Length = Annotated[str, typer.Option("--for", help="For how long: 1m to 7d, as 4h; what is red, to 1d.")]


@app.callback(invoke_without_command=True)
def attention(context: typer.Context) -> None:
    """Without a command of its own it lists."""
    if context.invoked_subcommand is None:
        list_attention()


@app.command("list")
def list_attention(as_json: AsJson = False) -> None:
    """List what needs attention, the worst first, and then what is snoozed; `appliance attention` does the same."""
    panel = remote()
    found = _here() if panel is None else panel.get("/attention")
    if as_json:
        print_json(found)
        return
    rows = [
        (one["severity"], title_of(one["subject"]), escape(inert(one["text"])), escape(inert(one["key"])), _asleep(one)) for one in found
    ]
    print_table(("", "OF", "WHAT", "KEY", "SNOOZED"), rows, empty="Nothing needs attention.")


@app.command("snooze")
def snooze(key: Key, length: Length = "1d") -> None:
    """Put something out of sight for a while; a worse cause of the same is seen at once."""
    panel, until = remote(), read_length(length, "length") or USUAL
    if panel is not None:
        panel.tell("/attention/snoozes", {"key": key, "length": length or "1d"})
    else:
        from appliance.web.looking import snooze_as

        snooze_as(opened(), who(), key, until, now())
    console.print(f"{key}: snoozed until {moment(now() + until)}.", markup=False)


@app.command("wake")
def wake(key: Key) -> None:
    """Have something in sight again."""
    panel = remote()
    if panel is None:
        opened().store.snoozes.end(key, by=who(), now=now())
    else:
        panel.delete(f"/attention/snoozes/{quote(key, safe='')}")
    console.print(f"{key}: in sight again.", markup=False)


def _here() -> Sequence[Mapping[str, Any]]:
    """As the API of a panel tells it."""
    from appliance.web.looking import look

    looked = look(opened(), now()).everything
    return [
        {name: getattr(item, name) for name in SEEN}
        | {"snoozed_until": plain(snooze.until) if snooze else None, "snoozed_by": snooze.by if snooze else ""}
        for item, snooze in looked
    ]


def _asleep(one: Mapping[str, Any]) -> str:
    if not one["snoozed_until"]:
        return ""
    return escape(f"until {moment(datetime.fromisoformat(one['snoozed_until']))} by {inert(one['snoozed_by'])}")
