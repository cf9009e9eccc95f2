"""The repositories elsewhere that recovery points are copied to."""

import os
from pathlib import Path
from typing import Annotated

import typer

from appliance.cli.opened import now, opened, who
from appliance.cli.output import AsJson, console, moment, print_json, print_table
from appliance.cli.requested import Kept
from appliance.domain.kit import text_of
from appliance.domain.repository import Repository
from appliance.domain.retention import read_numbers
from appliance.errors import InvalidRequest
from appliance.operations.kits import recovery_kit
from appliance.operations.repositories import add_repository, remove_repository, retain, retain_all
from appliance.operations.steps.repositories import AUTHORITY, KNOWN_HOSTS, PASSWORD, SSH_KEY

app = typer.Typer(help="Where recovery points are copied to, beside the repository on each host.", no_args_is_help=True)

kit_app = typer.Typer()

Name = Annotated[str, typer.Argument(help="Name of the repository.", show_default=False)]

Credential = Annotated[
    list[str] | None, typer.Option(metavar="NAME=FILE", help="A credential as restic calls it, such as AWS_ACCESS_KEY_ID, in a file.")
]
Key = Annotated[Path | None, typer.Option(help="For SFTP: file with the private key.")]
KnownHosts = Annotated[Path | None, typer.Option(help="For SFTP: file with the server's public key, as ssh-keyscan gives it.")]
Authority = Annotated[Path | None, typer.Option(help="For HTTPS: file with the certificate of a private authority.")]


@app.command("add")
def add(
    name: Name,
    location: Annotated[
        str, typer.Argument(help="sftp://USER@HOST//DIR, rest:https://HOST/DIR/, s3:https://HOST/BUCKET, rclone:REMOTE:DIR")
    ],
    credential: Credential = None,
    password: Annotated[Path | None, typer.Option(help="File with the password of a repository that is there already.")] = None,
    key: Key = None,
    known_hosts: KnownHosts = None,
    authority: Authority = None,
    as_json: AsJson = False,
) -> None:
    """Copy recovery points to a second place with every backup from now on."""
    files = {PASSWORD: password, SSH_KEY: key, KNOWN_HOSTS: known_hosts, AUTHORITY: authority, **_credentials(credential or [])}
    secrets = {secret: _read(file) for secret, file in files.items() if file is not None}
    made = add_repository(opened(), name=name, location=location, secrets=secrets, requested_by=who(), now=now())
    print_json(made) if as_json else console.print(f"{name}: the next backup of each CRM is copied there.", markup=False)


@app.command("list")
def list_repositories(as_json: AsJson = False) -> None:
    """List them, with how the last copying to each went."""
    repositories = opened().store.repositories.list()
    if as_json:
        print_json(repositories)
        return
    rows = [
        (one.name, one.location, _state(one.works), moment(one.noted_at), one.note, moment(one.kit_proven_at) or "never", _kept(one))
        for one in repositories
    ]
    titles = ("NAME", "WHERE", "STATE", "LAST", "HOW IT WENT", "KIT PROVEN", "KEPT THERE")
    print_table(titles, rows, empty="There is none; recovery points lie on their CRM's host only.")


@app.command("retention")
def retention(
    name: Name,
    keep: Kept = None,
    credential: Credential = None,
    location: Annotated[str | None, typer.Option(help="Where it is asked, if another place than hosts are told.", metavar="WHERE")] = None,
    key: Key = None,
    known_hosts: KnownHosts = None,
    authority: Authority = None,
    off: Annotated[bool, typer.Option("--off", help="Give up nothing there any more, and forget the credentials for it.")] = False,
) -> None:
    """Give up there what is not to be kept, from this machine, with credentials that no host gets.

    A schedule for each CRM then does it: appliance schedule add crm-thin --work retention --instance crm --days SUN --begin 04:00
    """
    if off:
        retain_all(opened(), name, by=who(), now=now())
        console.print(f"{name}: nothing is given up there any more, and the credentials for it are forgotten.", markup=False)
        return
    files = {SSH_KEY: key, KNOWN_HOSTS: known_hosts, AUTHORITY: authority, **_credentials(credential or [])}
    secrets = {secret: _read(file) for secret, file in files.items() if file is not None}
    retain(opened(), name, location=location, keep=read_numbers(keep or ()), secrets=secrets, by=who(), now=now())
    console.print(f"{name}: `appliance retention CRM` gives up there what is not to be kept; a schedule does it by itself.", markup=False)


@app.command("remove")
def remove(name: Name) -> None:
    """Copy nothing there any more; what lies there stays, and its password is kept."""
    remove_repository(opened(), name, requested_by=who(), now=now())
    console.print(f"{name} was removed. Its password is kept: appliance secret repository:{name} password", markup=False)


@kit_app.command("recovery-kit")
def recovery_kit_command(
    file: Annotated[Path | None, typer.Argument(help="Where to write it; only you can read it. Without it, it is printed.")] = None,
) -> None:
    """Write what brings appliance and CRMs back on a bare machine, beside a repository elsewhere: bin/up --recover FILE."""
    appliance, moment_now = opened(), now()
    text = text_of(recovery_kit(appliance, moment_now))
    appliance.store.access.audit(actor=who(), action="show recovery kit", subject="appliance", detail={}, now=moment_now)
    if file is None:
        print(text, end="")
        return
    write_private(file, text)
    console.print(f"{file} opens everything that is kept elsewhere. Print it or keep it in a safe, not on this machine.", markup=False)


def write_private(file: Path, text: str) -> None:
    """A new file that only its owner can read. Raises InvalidRequest."""
    try:
        with os.fdopen(os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as stream:
            stream.write(text)
    except OSError as error:
        raise InvalidRequest(f"{file} cannot be made: {error.strerror}. Nothing was changed.", field="file") from None


def _state(works: bool | None) -> str:
    return "not used yet" if works is None else "works" if works else "fails"


def _kept(repository: Repository) -> str:
    keep = (repository.retention or {}).get("keep", {})
    return " ".join(f"{name}={number}" for name, number in keep.items()) or "all"


def _credentials(given: list[str]) -> dict[str, Path | None]:
    pairs = [pair.partition("=") for pair in given]
    if wrong := next((pair for pair in pairs if not pair[0] or not pair[2]), None):
        raise InvalidRequest(f"{''.join(wrong)!r} is not of the form NAME=FILE. Nothing was changed.", field="credential")
    return {name: Path(file) for name, _, file in pairs}


def _read(file: Path) -> str:
    try:
        return file.read_text().strip() + "\n"
    except (OSError, UnicodeDecodeError) as error:
        raise InvalidRequest(f"{file} cannot be read: {error}. Nothing was changed.", field="file") from None
