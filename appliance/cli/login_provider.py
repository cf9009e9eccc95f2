"""The provider that people log in to the panel by."""

import sys
from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer

from appliance.cli.opened import now, opened, who
from appliance.cli.output import AsJson, console, moment, print_json, print_table
from appliance.domain.login_provider import LoginProvider, read_roles
from appliance.errors import InvalidRequest, NotFound
from appliance.operations.login_provider import set_provider
from appliance.store import Store

app = typer.Typer(help="Single sign-on of your own (OpenID Connect), for the panel's log-in.", no_args_is_help=True)

User = Annotated[str, typer.Argument(help="Name of the user.", show_default=False)]
Subject = Annotated[str, typer.Argument(help="Who that is at the provider; a refused log-in says it.", show_default=False)]


@app.command("set")
def set_it(
    issuer: Annotated[str, typer.Option(help="As the provider calls itself: https://…")],
    client_id: Annotated[str, typer.Option(help="As the provider knows this panel.")],
    secret_file: Annotated[str, typer.Option(metavar="FILE", help="File with the client secret; - reads it from here.")] = "",
    name: Annotated[str, typer.Option(help="What the button says: Log in by …")] = "Single sign-on",
    default_role: Annotated[str, typer.Option(help="Role of who is let in; none without it.")] = "",
    role_claim: Annotated[str, typer.Option(help="Claim that gives a greater role, such as groups.")] = "",
    role: Annotated[list[str] | None, typer.Option(metavar="VALUE=ROLE", help="Which value of the claim gives which role.")] = None,
    domain: Annotated[list[str] | None, typer.Option(help="Only e-mail addresses of this domain; all otherwise.")] = None,
    make_users: Annotated[bool, typer.Option("--make-users", help="Who comes for the first time becomes a user.")] = False,
    as_json: AsJson = False,
) -> None:
    """Let people log in by this provider, beside their passwords."""
    provider = LoginProvider(
        name=name,
        issuer=issuer,
        client_id=client_id,
        role_claim=role_claim,
        roles=read_roles(list(role or ())),
        default_role=default_role,
        domains=tuple(domain or ()),
        makes_users=make_users,
    )
    set_provider(opened(), provider, secret=_read(secret_file) if secret_file else "", by=who(), now=now())
    print_json(asdict(provider)) if as_json else console.print(f"The log-in page offers {name} from now on.", markup=False)


@app.command("show")
def show(as_json: AsJson = False) -> None:
    """Show the provider, and who is known there; its secret is shown to nobody."""
    store = opened().store
    provider, known = store.login_providers.find(), store.login_providers.identities()
    if as_json:
        print_json({"provider": asdict(provider) if provider else None, "identities": [asdict(one) for one in known]})
        return
    console.print(f"{provider.name}: {provider.issuer}, as {provider.client_id}" if provider else "There is no provider.", markup=False)
    rows = [(one.user, one.subject, moment(one.last_used_at) or "never") for one in known]
    print_table(("USER", "SUBJECT", "LAST HERE"), rows, empty="Nobody is known there.")


@app.command("remove")
def remove() -> None:
    """Let nobody log in by it any more; who is who there is kept."""
    opened().store.login_providers.remove(by=who(), now=now())
    console.print("Passwords and passkeys alone open the panel now.", markup=False)


@app.command("link")
def link(user: User, subject: Subject) -> None:
    """Let a user that there is log in by the provider, too; the role stays."""
    store = opened().store
    store.login_providers.link(issuer=_issuer(store), subject=subject, user=user, by=who(), now=now())
    console.print(f"{user} may log in by the provider.", markup=False)


@app.command("unlink")
def unlink(subject: Subject) -> None:
    """Let nobody log in as that subject of the provider any more."""
    store = opened().store
    store.login_providers.unlink(issuer=_issuer(store), subject=subject, by=who(), now=now())
    console.print("The provider opens nothing for that subject any more.", markup=False)


def _issuer(store: Store) -> str:
    if (provider := store.login_providers.find()) is None:
        raise NotFound("There is no login provider. Nothing was changed; `appliance login-provider set` sets one.")
    return provider.issuer


def _read(file: str) -> str:
    try:
        return sys.stdin.read() if file == "-" else Path(file).read_text()
    except (OSError, UnicodeDecodeError) as error:
        raise InvalidRequest(f"{file} cannot be read: {error}. Nothing was changed.", field="secret_file") from None
