"""The appliance as a service of its machine (`bin/up --production`): its certificate, its upgrade, its backup. For root."""

import os
import secrets
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from argon2 import PasswordHasher

from appliance.cli.certificates import CertificateFile, KeyFile, read_given
from appliance.cli.opened import now, opened, settings_here, who
from appliance.cli.output import AsJson, console, print_json
from appliance.config import Settings
from appliance.errors import ConfigurationError, InvalidRequest
from appliance.production.places import Places
from appliance.store.users import ONE_TIME_BYTES

if TYPE_CHECKING:
    from appliance.production.intent import Outcome

EXIT_CODES = {"succeeded": 0, "failed": 1, "rolled_back": 3, "refused": 5}
WORDS = {
    "succeeded": "The {kind} succeeded: {target} runs.",
    "rolled_back": "The {kind} to {target} was rolled back: {source} runs, with its state from before.\nWhy: {cause}",
    "refused": "The {kind} did not begin, {source} runs as before: {cause}",
    "failed": "The {kind} to {target} failed, and so did going back to {source}. The state from before is in {before}.\nWhy: {cause}",
}

"""20 characters."""

app = typer.Typer()
panel_app = typer.Typer(help="The panel itself, in production.", no_args_is_help=True)


def settings_of_production() -> Settings:
    """The settings, for root on a machine of production. Raises ConfigurationError, InvalidRequest."""
    settings = settings_here()
    if not settings.production:
        raise ConfigurationError("This machine was not set up with bin/up --production. Nothing was changed.")
    if os.geteuid() != 0:
        raise InvalidRequest("This is for root alone. Nothing was changed; run it with sudo.")
    return settings


@panel_app.command("certificate")
def certificate(
    certificate: CertificateFile = None,
    key: KeyFile = None,
    own_authority: Annotated[bool, typer.Option("--private-ca", help="Go back to a certificate by the appliance's authority.")] = False,
    as_json: AsJson = False,
) -> None:
    """Show a certificate of your own, or have the appliance's renewed if it is due; a timer asks for that daily."""
    from appliance.production.showing import show

    settings = settings_of_production()
    if (certificate is None) != (key is None):
        raise InvalidRequest("A certificate and its key are given together. Nothing was changed.", field="key")
    given = (read_given(certificate, "certificate") or "", read_given(key, "key") or "") if certificate else None
    changed = show(settings, given, give_up_own=own_authority, now=datetime.now(UTC))
    said = "shows another certificate from now on" if changed else "shows a certificate that is not due"
    print_json({"changed": changed}) if as_json else console.print(f"https://{settings.panel_domain}/ {said}.", markup=False)


@panel_app.command("password")
def password(name: Annotated[str, typer.Option("--user", help="Whose.")] = "admin", as_json: AsJson = False) -> None:
    """Make a new one-time password for a user who has lost his own; every browser of his is logged out. A second factor stays on."""
    made = secrets.token_urlsafe(ONE_TIME_BYTES)
    opened().store.users.replace_password(name, PasswordHasher().hash(made), by=who(), now=now())
    print_json({"user": name, "password": made}) if as_json else print(made)


@app.command("self-upgrade")
def self_upgrade(
    wheel: Annotated[
        Path | None, typer.Argument(help="Wheel of the new version; without it an earlier upgrade is brought to its end.")
    ] = None,
    wait: Annotated[bool, typer.Option("--wait", help="Wait for the end of operations that are under way.")] = False,
    as_json: AsJson = False,
) -> None:
    """Go to another version of the appliance; when it does not become ready, the one before serves again with its state (exit code 3)."""
    from appliance.production import upgrade
    from appliance.production.intent import read_intent, read_outcome

    settings, places = settings_of_production(), Places()
    say = _silent if as_json else _say
    outcome = upgrade.go_on(places, say) if read_intent(places) is not None else None
    if outcome is None and wheel is not None:
        outcome = upgrade.upgrade(settings, places, wheel, wait=wait, say=say)
        if outcome is None:
            print_json({"result": "succeeded", "changed": False}) if as_json else console.print("Nothing to do: this release runs already.")
            return
    if outcome is None:
        outcome = read_outcome(places)
    if outcome is None:
        raise InvalidRequest("No upgrade is under way, and there was none. Give the wheel of the new version.", field="wheel")
    _end(outcome, as_json=as_json)


@app.command("self-backup")
def self_backup(
    file: Annotated[Path, typer.Argument(help="Where to write it; only root can read it.", show_default=False)], as_json: AsJson = False
) -> None:
    """Write the appliance's own state to a file: store, key, settings, the monitor's ledger. Whoever has it can open every secret."""
    from appliance.production.keeping import save_to

    settings = settings_of_production()
    if not file.parent.is_dir() or file.is_dir():
        raise InvalidRequest(f"{file} cannot be written: there is no such directory. Nothing was changed.", field="file")
    manifest = save_to(settings, file.resolve())
    if as_json:
        print_json({"file": str(file), **manifest})
        return
    console.print(f"{file} holds the state of the appliance, {file.stat().st_size / 1024**2:.1f} MB.", markup=False)
    console.print("Its audit has {entries} entries, the newest with the hash {hash}.".format(**manifest["audit"]), markup=False)
    console.print("It holds the key, too: whoever has it can open every secret and every host. Keep it elsewhere, where nobody else comes.")
    console.print("It does not hold the CRMs' data; their recovery points are where they were made.")


@app.command("self-restore")
def self_restore(
    file: Annotated[Path, typer.Argument(help="A file that self-backup has written.", show_default=False)],
    replace: Annotated[
        bool, typer.Option("--replace", help="Also where this appliance has hosts and CRMs; what it knows is given up.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Bring the appliance's own state back, for example on a new machine after bin/up --production. On any failure it stays as it was."""
    from appliance.production import upgrade

    settings = settings_of_production()
    _end(upgrade.restore(settings, Places(), file, replace=replace, say=_silent if as_json else _say), as_json=as_json)


def _end(outcome: "Outcome", *, as_json: bool) -> None:
    if as_json:
        print_json(outcome)
    else:
        console.print(WORDS[outcome.result].format(**vars(outcome)), markup=False)
    raise typer.Exit(EXIT_CODES[outcome.result])


def _say(text: str) -> None:
    console.print(f"{text} …", markup=False)


def _silent(_: str) -> None:
    """With --json only the outcome is printed."""
