"""Who may log in to the panel, and with what."""

import secrets
from typing import Annotated, Any

import typer
from argon2 import PasswordHasher
from rich.markup import escape

from appliance.cli.opened import now, opened, who
from appliance.cli.output import AsJson, console, moment, print_json, print_table
from appliance.domain.inert import inert
from appliance.domain.second_factor import SecondFactor
from appliance.errors import NotFound
from appliance.store.access import User
from appliance.store.users import ONE_TIME_BYTES, ROLES

app = typer.Typer(help="Users of the panel.", no_args_is_help=True)
Named = Annotated[str, typer.Argument(help="Name of the user.", show_default=False)]
RoleOption = Annotated[str, typer.Option(help=f"What he may do: {', '.join(ROLES)}.")]


@app.command("list")
def list_users(as_json: AsJson = False) -> None:
    """List the users, their roles, who has a second factor, and who is locked out after wrong attempts."""
    store, at = opened().store, now()
    factors = {one.user: one for one in store.second_factors.list()}
    users = store.access.users()
    granted = store.grants.all()
    locked = {one.name: one.locked_until for one in users if one.locked_until and one.locked_until > at}
    if as_json:
        print_json(
            [
                {
                    "name": one.name,
                    "role": one.role,
                    "locked_until": locked.get(one.name),
                    "crms": granted.get(one.name, []),
                    **_said(factors.get(one.name)),
                }
                for one in users
            ]
        )
        return
    rows = [
        (one.name, _role(one, granted.get(one.name, [])), *_cells(factors.get(one.name)), moment(locked.get(one.name))) for one in users
    ]
    print_table(("NAME", "ROLE", "SECOND FACTOR", "PASSKEYS", "CODES", "LOCKED OUT UNTIL"), rows, empty="There is no user yet.")


@app.command("second-factor")
def second_factor(
    name: Named,
    off: Annotated[bool, typer.Option("--off", help="Ask for the password alone from now on.")] = False,
    as_json: AsJson = False,
) -> None:
    """Say whether a user has a second factor, or turn it off for one who has lost it; the user turns it on, in the panel."""
    store = opened().store
    if store.access.find_user(name) is None:
        raise NotFound(f"There is no user {name!r}. Nothing was changed; `appliance user list` names them.")
    if off:
        store.second_factors.turn_off(name, by=who(), now=now())
    found = store.second_factors.find(name)
    if as_json:
        print_json({"name": name, **_said(found)})
        return
    console.print(f"{name}: {_told(found)}." + (" The password opens the panel." if off else ""), markup=False)


@app.command("add")
def add(name: Named, role: RoleOption = ROLES[0], as_json: AsJson = False) -> None:
    """Add a user, and print the one-time password, which is shown this once."""
    made = secrets.token_urlsafe(ONE_TIME_BYTES)
    opened().store.users.add(name, role=role, password_hash=PasswordHasher().hash(made), by=who(), now=now())
    print_json({"user": name, "role": role, "password": made}) if as_json else print(made)


@app.command("role")
def change_role(name: Named, role: RoleOption) -> None:
    """Give a user another role; the last administrator stays one."""
    opened().store.users.change_role(name, role, by=who(), now=now())
    console.print(f"{name} is {role}.", markup=False)


@app.command("remove")
def remove(name: Named) -> None:
    """Let a user in no more: browsers, tokens, passkeys and second factor end. The last administrator stays."""
    opened().store.users.remove(name, by=who(), now=now())
    console.print(f"{name} is let in no more.", markup=False)


Crm = Annotated[str, typer.Option(metavar="CRM", help="Name of the CRM.")]


@app.command("grant")
def grant(name: Named, crm: Crm) -> None:
    """Let a viewer operate one CRM, too: back it up, restore it, upgrade it; everything that is about this CRM alone."""
    opened().store.grants.add(name, crm, by=who(), now=now())
    console.print(f"{name} operates {crm}.", markup=False)


@app.command("revoke")
def revoke(name: Named, crm: Crm) -> None:
    """Let a viewer operate a CRM no longer; what he has requested goes on."""
    opened().store.grants.remove(name, crm, by=who(), now=now())
    console.print(f"{name} operates {crm} no longer.", markup=False)


@app.command("passkeys")
def list_passkeys(
    name: Annotated[str | None, typer.Argument(metavar="[NAME]", help="Whose; everybody's otherwise.", show_default=False)] = None,
    as_json: AsJson = False,
) -> None:
    """List the passkeys that open the panel; a user adds one in the panel."""
    found = opened().store.passkeys.list(name)
    if as_json:
        shown = ("id", "user", "name", "created_at", "last_used_at")
        print_json([{field: getattr(one, field) for field in shown} for one in found])
        return
    rows = [(one.id, one.user, escape(inert(one.name)), moment(one.created_at), moment(one.last_used_at) or "never") for one in found]
    print_table(("ID", "USER", "NAME", "ADDED", "LAST USED"), rows, empty="There is no passkey.")


@app.command("remove-passkey")
def remove_passkey(
    name: Named,
    passkey: Annotated[str, typer.Argument(help="Its id; `user passkeys` says it.", show_default=False)],
    as_json: AsJson = False,
) -> None:
    """Let a passkey open nothing from now on, as one of a device that was lost; the second factor ends with the last."""
    is_over = opened().store.passkeys.remove(name, passkey, by=who(), now=now())
    if as_json:
        print_json({"name": name, "removed": passkey, "second_factor_ended": is_over})
        return
    said = " It was all that the second factor was made of: the password alone opens the panel." if is_over else ""
    console.print(f"{passkey} opens nothing any more.{said}", markup=False)


def _role(user: User, crms: list[str]) -> str:
    return f"{user.role}, operator of {' '.join(crms)}" if crms and user.role == "viewer" else user.role


def _said(found: SecondFactor | None) -> dict[str, Any]:
    names = ("since", "codes_left", "has_app", "passkeys")
    told = {name: getattr(found, name) for name in names} if found else None
    return {"second_factor": told}


def _cells(found: SecondFactor | None) -> tuple[str, str, str]:
    return (moment(found.since), str(found.passkeys), str(found.codes_left)) if found else ("none", "", "")


def _told(found: SecondFactor | None) -> str:
    if found is None:
        return "no second factor"
    app = "an app and " if found.has_app else ""
    return f"{app}{found.passkeys} passkeys since {moment(found.since)}, {found.codes_left} recovery codes left"
