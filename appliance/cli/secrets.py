"""The secrets that the appliance keeps, by name: which there are, and replacing those that people set."""

from pathlib import Path
from typing import Annotated

import typer

from appliance.cli.opened import now, opened, who
from appliance.cli.output import AsJson, console, moment, print_json, print_table
from appliance.errors import InvalidRequest
from appliance.operations.kept_secrets import KINDS, Kept, kept_of, owners, replace_secret

app = typer.Typer(help="Which secrets are kept, never what they are.", no_args_is_help=True)


@app.command("list")
def list_secrets(as_json: AsJson = False) -> None:
    """List whose secrets are kept, since when, and which of them can be replaced."""
    appliance = opened()
    found = kept_of(appliance, owners(appliance))
    if as_json:
        print_json([_as_json(one) for one in found])
        return
    rows = [
        (one.owner.kind, one.owner.name, name, moment(since) or "not known", "yes" if one.can_replace and name != "password" else "")
        for one in found
        for name, since in one.secrets.items()
    ]
    print_table(("KIND", "WHOSE", "SECRET", "SINCE", "CAN BE REPLACED"), rows, empty="None is kept yet.")


@app.command("replace")
def replace(
    kind: Annotated[str, typer.Argument(help="repository, channel or login-provider.", show_default=False)],
    owner: Annotated[str, typer.Argument(help="Name of the repository or channel.")] = "",
    secret: Annotated[
        list[str] | None, typer.Option("--secret", metavar="NAME=FILE", help="The secret's name, and the file that holds the new one.")
    ] = None,
) -> None:
    """Replace secrets that people set; of a repository once they were seen to open it. The others are explained and left alone."""
    values = {name: _read(Path(file)) for name, file in _pairs(secret or [])}
    replace_secret(opened(), kind, owner, values, requested_by=who(), now=now())
    console.print(f"{KINDS[kind].title} {owner}: {', '.join(sorted(values))} was replaced.", markup=False)


def _as_json(kept: Kept) -> dict[str, object]:
    return {"kind": kept.owner.kind, "owner": kept.owner.name, "secrets": kept.secrets, "can_replace": kept.can_replace}


def _pairs(given: list[str]) -> list[tuple[str, str]]:
    pairs = [pair.partition("=") for pair in given]
    if wrong := next((pair for pair in pairs if not pair[0] or not pair[2]), None):
        raise InvalidRequest(f"{''.join(wrong)[:60]!r} is not of the form NAME=FILE. Nothing was changed.", field="secret")
    return [(name, file) for name, _, file in pairs]


def _read(file: Path) -> str:
    try:
        return file.read_text().strip() + "\n"
    except (OSError, UnicodeDecodeError) as error:
        raise InvalidRequest(f"{file} cannot be read: {error}. Nothing was changed.", field="secret") from None
