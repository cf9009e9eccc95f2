"""What waits to be installed."""

from typing import Annotated

import typer
from pydantic import TypeAdapter

from appliance.cli.opened import now, opened
from appliance.cli.output import AsJson, console, moment, print_json, print_table
from appliance.cli.remote import Remote, remote
from appliance.domain.host import subject_of, title_of
from appliance.domain.pending import Pending
from appliance.operations.pending import look, subjects_of

app = typer.Typer()

UNKNOWN_EXIT_CODE = 1
ANSWERS = TypeAdapter(list[Pending])


@app.command()
def pending(
    name: Annotated[str | None, typer.Argument(help="Name of an instance; all instances and hosts otherwise.", show_default=False)] = None,
    host: Annotated[str | None, typer.Option(help="Only this host.", show_default=False)] = None,
    last: Annotated[bool, typer.Option("--last", help="What was found last, without asking again.")] = False,
    as_json: AsJson = False,
) -> None:
    """Show what is pending: newer releases, advisories, Debian packages, a reboot. Ends with 1 when something could not be asked."""
    named = [name] if name else [subject_of(host)] if host else None
    panel = remote()
    found = _here(named, last=last) if panel is None else _there(panel, named, last=last)
    print_json(found) if as_json else _show(found, details=bool(name or host))
    raise typer.Exit(UNKNOWN_EXIT_CODE if any(one.problems for one in found) else 0)


def _here(named: list[str] | None, *, last: bool) -> list[Pending]:
    appliance = opened()
    wanted = subjects_of(appliance) if named is None else named
    return [one for one in appliance.store.pending.list() if one.subject in wanted] if last else look(appliance, wanted, now=now())


def _there(panel: Remote, named: list[str] | None, *, last: bool) -> list[Pending]:
    found = ANSWERS.validate_python(panel.get("/pending") if last else panel.post("/pending", {"subjects": named}))
    return [one for one in found if named is None or one.subject in named]


def _show(found: list[Pending], *, details: bool) -> None:
    rows = [(title_of(one.subject), one.installed, moment(one.asked_at), one.summary()) for one in found]
    print_table(("OF", "INSTALLED", "ASKED", "PENDING"), rows, empty="Nothing was asked yet.")
    for one in found if details else ():
        for advisory in one.advisories:
            fixed = f"; fixed in {', '.join(advisory.fixed_in)}" if advisory.fixed_in else ""
            rated = f" ({advisory.severity})" if advisory.severity else ""
            told = f"{title_of(one.subject)}: {advisory.id}{rated} {advisory.package} {advisory.version}: {advisory.summary}{fixed}"
            console.print(told, markup=False)
        for package in one.packages:
            kind = "security" if package.security else "update"
            console.print(f"{title_of(one.subject)}: {kind} {package.name} {package.installed} -> {package.candidate}", markup=False)
