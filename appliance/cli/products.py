"""The product definitions."""

from pathlib import Path
from typing import Annotated

import typer

from appliance.cli.opened import opened
from appliance.cli.output import AsJson, console, print_json, print_table
from appliance.domain.product import ProductDefinition
from appliance.operations.offered import Listed, ProductTold, Use, listed_products, product_told, uses_of
from appliance.products.catalogue import Entry, check

app = typer.Typer(help="The CRMs that can be installed.", no_args_is_help=True)


@app.command("list")
def list_products(as_json: AsJson = False) -> None:
    """List the product definitions: the shipped ones and your own, those too that cannot be used."""
    found = listed_products(opened())
    if as_json:
        print_json([_row_as_json(one) for one in found])
        return
    print_table(("ID", "NAME", "DEFAULT RELEASE", "NEWEST", "CRMS", "FROM", ""), [_row(one) for one in found], empty="There are none.")
    for one in found:
        _print_problems(one.entry)


@app.command("show")
def show_product(product: Annotated[str, typer.Argument(help="Id of the product.", show_default=False)], as_json: AsJson = False) -> None:
    """Show a product: its series, the hops between them, its settings, the CRMs of it. Ends with 2 if its definition cannot be used."""
    appliance = opened()
    told = product_told(appliance, product)
    uses = uses_of(appliance, told.instances)
    if as_json:
        print_json(_as_json(told, uses))
    else:
        _print_told(told, uses)
    raise typer.Exit(2 if told.entry.problems else 0)


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


def _row(one: Listed) -> tuple[object, ...]:
    definition = one.entry.product.definition if one.entry.product else None
    if definition is None:
        return one.entry.id, "", "", "", one.instances, _origin(one.entry), "cannot be used"
    return (
        one.entry.id,
        definition.name,
        definition.default_release,
        one.newest_release,
        one.instances,
        _origin(one.entry),
        definition.summary,
    )


def _origin(entry: Entry) -> str:
    """Where it comes from."""
    if not entry.is_own:
        return "shipped"
    return "own, for a shipped one" if entry.takes_place else "own"


def _print_problems(entry: Entry) -> None:
    for problem in entry.problems:
        console.print(f"{entry.directory}: {problem}", markup=False)


def _row_as_json(one: Listed) -> dict[str, object]:
    definition = one.entry.product.definition if one.entry.product else None
    told = {name: getattr(definition, name, "") for name in ("name", "summary", "default_release")}
    return {"id": one.entry.id, **told, "newest_release": one.newest_release, "instances": one.instances, **_where(one.entry)}


def _where(entry: Entry) -> dict[str, object]:
    return {"own": entry.is_own, "directory": str(entry.directory), "problems": entry.problems}


def _as_json(told: ProductTold, uses: list[Use]) -> dict[str, object]:
    """The definition as it is written, and what is known of it besides."""
    product = told.entry.product
    definition = product.definition.model_dump(mode="json", by_alias=True) if product else {"id": told.entry.id}
    return {**definition, **_where(told.entry), "series": told.series, "used_by": uses, "unlocked": told.unlocked}


def _print_told(told: ProductTold, uses: list[Use]) -> None:
    _print_problems(told.entry)
    if told.entry.product:
        _print_definition(told.entry.product.definition, told)
    waiting = [(one.instance, one.release, ", ".join(f"{release.way} to {release.version}" for release in one.waiting)) for one in uses]
    print_table(("CRM", "RELEASE", "WAITS"), waiting, empty="No CRM of it is here.")


def _print_definition(definition: ProductDefinition, told: ProductTold) -> None:
    console.print(f"{definition.name} ({definition.license}): {definition.summary}", markup=False)
    console.print(f"{_origin(told.entry)}: {told.entry.directory}", markup=False)
    console.print(
        f"releases  {', '.join(release.version for release in definition.releases)}; {definition.default_release} unless said", markup=False
    )
    if told.unlocked:
        console.print(f"published, and not locked here yet: {', '.join(told.unlocked)}", markup=False)
    rows = [(one.series, one.releases[0], ", ".join(one.leads_to), one.support_ends or "not known") for one in told.series]
    print_table(("SERIES", "NEWEST", "LEADS TO", "SUPPORTED UNTIL"), rows, empty="")
    settings = [(setting.name, setting.title, setting.default, ", ".join(setting.choices)) for setting in definition.settings]
    print_table(("SETTING", "", "DEFAULT", "CHOICES"), settings, empty="It has no settings.")
