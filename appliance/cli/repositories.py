"""The repositories elsewhere that recovery points are copied to."""

from pathlib import Path
from typing import Annotated

import typer

from appliance.cli.opened import now, opened, who
from appliance.cli.output import AsJson, console, moment, print_json, print_table
from appliance.errors import InvalidRequest
from appliance.operations.repositories import add_repository, remove_repository
from appliance.operations.steps.repositories import AUTHORITY, KNOWN_HOSTS, PASSWORD, SSH_KEY

app = typer.Typer(help="Where recovery points are copied to, beside the repository on each host.", no_args_is_help=True)

Name = Annotated[str, typer.Argument(help="Name of the repository.", show_default=False)]


@app.command("add")
def add(
    name: Name,
    location: Annotated[
        str, typer.Argument(help="sftp://USER@HOST//DIR, rest:https://HOST/DIR/, s3:https://HOST/BUCKET, rclone:REMOTE:DIR")
    ],
    credential: Annotated[
        list[str] | None, typer.Option(metavar="NAME=FILE", help="A credential as restic calls it, such as AWS_ACCESS_KEY_ID, in a file.")
    ] = None,
    password: Annotated[Path | None, typer.Option(help="File with the password of a repository that is there already.")] = None,
    key: Annotated[Path | None, typer.Option(help="For SFTP: file with the private key.")] = None,
    known_hosts: Annotated[Path | None, typer.Option(help="For SFTP: file with the server's public key, as ssh-keyscan gives it.")] = None,
    authority: Annotated[Path | None, typer.Option(help="For HTTPS: file with the certificate of a private authority.")] = None,
    as_json: AsJson = False,
) -> None:
    """Copy recovery points to a second place with every backup from now on.

    Example: appliance repository add offsite rest:https://nas.example.org:8000/crm/ --credential RESTIC_REST_PASSWORD=/root/nas
    """
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
    rows = [(one.name, one.location, _state(one.works), moment(one.noted_at), one.note) for one in repositories]
    print_table(
        ("NAME", "WHERE", "STATE", "LAST", "HOW IT WENT"), rows, empty="There is none; recovery points lie on their CRM's host only."
    )


@app.command("remove")
def remove(name: Name) -> None:
    """Copy nothing there any more; what lies there stays, and its password is kept."""
    remove_repository(opened(), name, requested_by=who(), now=now())
    console.print(f"{name} was removed. Its password is kept: appliance secret repository:{name} password", markup=False)


def _state(works: bool | None) -> str:
    return "not used yet" if works is None else "works" if works else "fails"


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
