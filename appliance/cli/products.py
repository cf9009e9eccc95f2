"""The product definitions."""

from pathlib import Path
from typing import Annotated

import typer

from appliance.cli.opened import opened
from appliance.cli.output import AsJson, console, print_json, print_table
from appliance.products.catalogue import check

app = typer.Typer(help="The CRMs that can be installed.", no_args_is_help=True)


@app.command("list")
def list_products(as_json: AsJson = False) -> None:
    """List the products."""
    products = [product.definition for product in opened().catalogue.list()]
    if as_json:
        print_json([{"id": one.id, "name": one.name, "summary": one.summary, "default_release": one.default_release} for one in products])
        return
    print_table(
        ("ID", "NAME", "DEFAULT RELEASE", ""),
        [(one.id, one.name, one.default_release, one.summary) for one in products],
        empty="There are none.",
    )


@app.command("show")
def show_product(product: Annotated[str, typer.Argument(help="Id of the product.", show_default=False)], as_json: AsJson = False) -> None:
    """Show a product: its releases, the hops between its series, its settings."""
    definition = opened().catalogue.get(product).definition
    if as_json:
        print_json(definition.model_dump(mode="json", by_alias=True))
        return
    console.print(f"{definition.name} ({definition.license}): {definition.summary}", markup=False)
    console.print("releases  " + ", ".join(release.version for release in definition.releases))
    console.print("hops      " + ", ".join(f"{hop.source} to {hop.target}" for hop in definition.upgrade.hops))
    rows = [(setting.name, setting.title, setting.default, ", ".join(setting.choices)) for setting in definition.settings]
    print_table(("SETTING", "", "DEFAULT", "CHOICES"), rows, empty="It has no settings.")


@app.command("check")
def check_product(
    path: Annotated[Path, typer.Argument(help="Folder of a product definition.", show_default=False)], as_json: AsJson = False
) -> None:
    """Check a product definition of your own; every problem is named."""
    problems = check(path)
    if as_json:
        print_json({"problems": problems})
    else:
        for problem in problems:
            console.print(problem, markup=False)
        console.print(f"{len(problems)} problems." if problems else "No problems found.")
    raise typer.Exit(2 if problems else 0)
