"""What a shell completes: the script for it, and the names of CRMs."""

from contextlib import redirect_stdout
from enum import StrEnum
from io import StringIO

import typer
from typer.completion import shell_complete

from appliance.config import load_settings
from appliance.errors import ConfigurationError
from appliance.store.peeking import names_of_instances

app = typer.Typer()

PROGRAM = "appliance"
ASKED_BY = "_APPLIANCE_COMPLETE"


class Shell(StrEnum):
    """One that can complete."""

    BASH = "bash"
    ZSH = "zsh"
    FISH = "fish"


@app.command()
def completion(context: typer.Context, shell: Shell) -> None:
    """Print the script by which a shell completes commands, options and the names of CRMs."""
    with redirect_stdout(StringIO()) as said:
        shell_complete(context.find_root().command, {}, PROGRAM, ASKED_BY, f"source_{shell.value}")
    print(said.getvalue().strip())  # zsh looks at the first line to know what it is


def complete_instance(incomplete: str) -> list[str]:
    """The CRMs of this machine whose names begin so."""
    try:
        return [name for name in names_of_instances(load_settings().database_file) if name.startswith(incomplete)]
    except ConfigurationError:
        return []
