"""What the users of CRMs are told on the status page."""

from typing import Annotated

import typer

from appliance.cli.opened import now, opened, who
from appliance.cli.output import AsJson, console, moment, print_json, print_table
from appliance.domain.notice import read_notice

app = typer.Typer(help="Notices to the users of CRMs, on the status page.", no_args_is_help=True)


@app.command("add")
def add_notice(
    name: Annotated[str, typer.Argument(help="Name of the instance.", show_default=False)],
    text: Annotated[str, typer.Argument(help="What its users are to know.", show_default=False)],
    as_json: AsJson = False,
) -> None:
    """Tell the users of an instance something."""
    store = opened().store
    store.instances.get(name)
    number = store.notices.add(name, read_notice(text), by=who(), now=now())
    print_json({"id": number}) if as_json else console.print(f"Notice {number} is on the status page of {name}.", markup=False)


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
