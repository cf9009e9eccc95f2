"""Look at the tables of a recovery point, and restore some of them beside the live ones."""

from typing import Annotated

import typer
from rich.markup import escape

from appliance.cli.backups import FromRepository, Name
from appliance.cli.opened import opened
from appliance.cli.output import AsJson, print_json, print_table
from appliance.cli.requested import Detach, carry_out, said
from appliance.domain.inert import inert
from appliance.operations.browsing import Wanted, list_tables

app = typer.Typer()
ToPoint = Annotated[str | None, typer.Option("--to", help="Recovery point; the newest one if left out.")]


@app.command()
def tables(
    name: Name,
    point: Annotated[str | None, typer.Option(help="Recovery point; the newest one if left out.")] = None,
    repository: FromRepository = None,
    as_json: AsJson = False,
) -> None:
    """List the tables that a recovery point holds."""
    found, names = list_tables(opened(), Wanted(instance=name, point=point, repository=repository))
    if as_json:
        print_json({"point": found.id, "tables": names})
        return
    print_table((f"TABLES OF {found.id}",), [(escape(inert(one)),) for one in names], empty="The recovery point holds no table.")


@app.command("restore-tables")
def restore_tables(
    name: Name,
    wanted: Annotated[list[str], typer.Argument(metavar="TABLE...", help="Tables, with their schema if it is not public.")],
    point: ToPoint = None,
    repository: FromRepository = None,
    detach: Detach = False,
    as_json: AsJson = False,
) -> None:
    """Restore some tables into a schema of their own in the live database, to compare and copy back with SQL; the live ones stay."""
    carry_out("restore-tables", name, {"tables": wanted, **said(point=point, repository=repository)}, as_json=as_json, detach=detach)
