"""What the users of CRMs are told on the status page."""

from datetime import UTC
from typing import Annotated

import typer

from appliance.cli.opened import now, opened, who
from appliance.cli.output import AsJson, console, moment, print_json, print_table
from appliance.domain.measures import duration
from appliance.operations.noticing import add_notice as add_to_page
from appliance.operations.noticing import list_outages

app = typer.Typer(help="Notices to the users of CRMs, on the status page.", no_args_is_help=True)


@app.command("add")
def add_notice(
    name: Annotated[str, typer.Argument(help="Name of the instance.", show_default=False)],
    text: Annotated[str, typer.Argument(help="What its users are to know.", show_default=False)],
    outage: Annotated[str, typer.Option(metavar="TIME", help="When the outage began that it is about, as 2026-03-01T12:00:30.")] = "",
    as_json: AsJson = False,
) -> None:
    """Tell the users of an instance something, in general or about an outage."""
    made = add_to_page(opened(), name, text, outage=outage, by=who(), now=now())
    print_json({"id": made.id}) if as_json else console.print(f"Notice {made.id} is on the status page of {name}.", markup=False)


@app.command("outages")
def show_outages(name: Annotated[str, typer.Argument(help="Name of the instance.", show_default=False)], as_json: AsJson = False) -> None:
    """List when an instance was seen to be down, newest first; a notice may be about one of these."""
    outages = list_outages(opened(), name)
    if as_json:
        print_json(outages)
        return
    rows = [
        (one.started_at.astimezone(UTC).isoformat(timespec="seconds"), duration(one.length), "over" if one.ended_at else "lasts", one.cause)
        for one in outages
    ]
    print_table(("BEGAN", "LENGTH", "", "BY"), rows, empty=f"{name} was not seen down.")


@app.command("list")
def list_notices(
    name: Annotated[str | None, typer.Argument(help="Name of an instance; all if left out.")] = None,
    as_json: AsJson = False,
) -> None:
    """List the notices, newest first."""
    notices = opened().store.notices.list(name)
    if as_json:
        print_json(notices)
        return
    rows = [(str(one.id), one.instance, moment(one.at), one.by, one.text) for one in notices]
    print_table(("ID", "INSTANCE", "AT", "BY", "NOTICE"), rows, empty="There is no notice. Write one: appliance notice add NAME TEXT")


@app.command("remove")
def remove_notice(notice: Annotated[int, typer.Argument(help="Its number.", show_default=False)], as_json: AsJson = False) -> None:
    """Take a notice back."""
    opened().store.notices.remove(notice, by=who(), now=now())
    print_json({"id": notice, "removed": True}) if as_json else console.print(f"Notice {notice} is taken back.")
