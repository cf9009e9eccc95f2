"""Who may come in by the API."""

from typing import Annotated

import typer

from appliance.cli.opened import now, opened, who
from appliance.cli.output import AsJson, console, moment, print_json, print_table

app = typer.Typer(help="Bearer tokens of the API.", no_args_is_help=True)


@app.command("issue")
def issue_token(
    name: Annotated[str, typer.Argument(help="What the token is for; one of the same name is replaced.", show_default=False)],
    user: Annotated[str, typer.Option(help="Whose rights it carries.")] = "admin",
    as_json: AsJson = False,
) -> None:
    """Issue a bearer token for the API; it is shown this once."""
    access = opened().store.access
    token = access.issue_token(name=name, user=user, now=now())
    access.audit(actor=who(), action="issue token", subject=name, detail={"user": user}, now=now())
    print_json({"name": name, "user": user, "token": token}) if as_json else print(token)


@app.command("list")
def list_tokens(as_json: AsJson = False) -> None:
    """List the tokens, whose rights they carry and when each was last used; what they are is shown to nobody."""
    tokens = opened().store.access.tokens()
    if as_json:
        print_json(tokens)
        return
    rows = [(one.name, one.user, moment(one.created_at), moment(one.last_used_at) or "never") for one in tokens]
    print_table(("NAME", "USER", "ISSUED", "LAST USED"), rows, empty="There is no token. Issue one: appliance token issue NAME")


@app.command("revoke")
def revoke_token(
    name: Annotated[str, typer.Argument(help="Name of the token.", show_default=False)],
    as_json: AsJson = False,
) -> None:
    """Revoke a token: it opens nothing from now on."""
    access = opened().store.access
    access.revoke_token(name)
    access.audit(actor=who(), action="revoke token", subject=name, detail={}, now=now())
    print_json({"name": name, "revoked": True}) if as_json else console.print(f"{name} opens nothing any more.", markup=False)
