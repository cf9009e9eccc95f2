"""Who may come in by the API."""

from typing import Annotated

import typer

from appliance.cli.opened import now, opened
from appliance.cli.output import AsJson, print_json

app = typer.Typer()


@app.command("token")
def issue_token(
    name: Annotated[str, typer.Argument(help="What the token is for; one of the same name is replaced.", show_default=False)],
    user: Annotated[str, typer.Option(help="Whose rights it carries.")] = "admin",
    as_json: AsJson = False,
) -> None:
    """Issue a bearer token for the API; it is shown this once."""
    token = opened().store.access.issue_token(name=name, user=user, now=now())
    print_json({"name": name, "user": user, "token": token}) if as_json else print(token)
