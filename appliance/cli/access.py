"""Who may come in by the API, and which browsers are logged in."""

from typing import Annotated

import typer
from rich.markup import escape

from appliance.cli.opened import now, opened, who
from appliance.cli.output import AsJson, console, moment, print_json, print_table
from appliance.domain.inert import inert
from appliance.errors import InvalidRequest, NotFound
from appliance.store.tokens import SCOPES

app = typer.Typer(help="Bearer tokens of the API.", no_args_is_help=True)
session_app = typer.Typer(help="Browsers that are logged in.", no_args_is_help=True)


@app.command("issue")
def issue_token(
    name: Annotated[str, typer.Argument(help="What the token is for; one of the same name is replaced.", show_default=False)],
    user: Annotated[str, typer.Option(help="Whose rights it carries.")] = "admin",
    scope: Annotated[str, typer.Option(help=f"Up to which role: {', '.join(SCOPES)}.")] = SCOPES[-1],
    days: Annotated[int | None, typer.Option(help="How long it lasts; until it is revoked without.", show_default=False)] = None,
    as_json: AsJson = False,
) -> None:
    """Issue a bearer token for the API; it is shown this once."""
    token = opened().store.tokens.issue(name=name, user=user, by=who(), now=now(), scope=scope, days=days)
    print_json({"name": name, "user": user, "scope": scope, "token": token}) if as_json else print(token)


@app.command("list")
def list_tokens(as_json: AsJson = False) -> None:
    """List the tokens, whose rights they carry, when each was last used and when it ends; what they are is shown to nobody."""
    tokens = opened().store.tokens.list()
    if as_json:
        print_json(tokens)
        return
    rows = [
        (one.name, one.user, one.scope, moment(one.created_at), moment(one.last_used_at) or "never", moment(one.expires_at) or "never")
        for one in tokens
    ]
    columns = ("NAME", "USER", "UP TO", "ISSUED", "LAST USED", "ENDS")
    print_table(columns, rows, empty="There is no token. Issue one: appliance token issue NAME")


@app.command("revoke")
def revoke_token(
    name: Annotated[str, typer.Argument(help="Name of the token.", show_default=False)],
    as_json: AsJson = False,
) -> None:
    """Revoke a token: it opens nothing from now on."""
    opened().store.tokens.revoke(name, by=who(), now=now())
    print_json({"name": name, "revoked": True}) if as_json else console.print(f"{name} opens nothing any more.", markup=False)


@session_app.command("list")
def list_sessions(
    user: Annotated[str | None, typer.Option(help="Only this user's; everybody's otherwise.")] = None, as_json: AsJson = False
) -> None:
    """List the browsers that are logged in, the one used last first."""
    found = opened().store.access.sessions(user, now=now())
    if as_json:
        shown = ("user", "created_at", "last_used_at", "expires_at", "address", "browser")
        print_json([{"id": one.id, **{name: getattr(one, name) for name in shown}} for one in found])
        return
    rows = [
        (one.id, one.user, moment(one.created_at), moment(one.last_used_at), *(escape(inert(text)) for text in (one.address, one.browser)))
        for one in found
    ]
    print_table(("ID", "USER", "SINCE", "LAST USED", "FROM", "BROWSER"), rows, empty="No browser is logged in.")


@session_app.command("end")
def end_sessions(
    session: Annotated[str | None, typer.Argument(metavar="[ID]", help="Which one; `session list` says it.", show_default=False)] = None,
    user: Annotated[str | None, typer.Option(help="All of this user instead.")] = None,
    as_json: AsJson = False,
) -> None:
    """Log a browser out, or all of a user."""
    access = opened().store.access
    if (session is None) == (user is None):
        raise InvalidRequest("Name one session, or a user with --user. Nothing was changed.", field="session")
    ended = [one for one in access.sessions(user, now=now()) if session in (None, one.id)]
    if session is not None and not ended:
        raise NotFound(f"There is no session {session[:40]!r}; nothing was changed. `appliance session list` names them.")
    access.end_sessions(ended, by=who(), now=now())
    said = f"{len(ended)} browser{'s' if len(ended) != 1 else ''} logged out."
    print_json({"ended": [one.id for one in ended]}) if as_json else console.print(said, markup=False)
