"""Look at the files of a recovery point, bring one or a folder out of it, and restore them into the CRM."""

import os
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO, Annotated

import typer
from rich.markup import escape

from appliance.cli.backups import FromRepository, Name
from appliance.cli.opened import now, opened, who
from appliance.cli.output import AsJson, console, moment, plain, print_json, print_table
from appliance.cli.requested import Detach, carry_out
from appliance.domain.inert import inert
from appliance.errors import InvalidRequest
from appliance.operations.browsing import Download, Entry, Listing, Wanted, compare_files, list_files, open_download

app = typer.Typer()
STANDARD_OUTPUT = "-"


@app.command()
def files(
    name: Name,
    path: Annotated[str, typer.Argument(help="A place among its uploads; all of them if left out.")] = "",
    point: Annotated[str | None, typer.Option(help="Recovery point; the newest one if left out.")] = None,
    repository: FromRepository = None,
    output: Annotated[
        str | None, typer.Option(help="Write the file, or the folder as an archive, into this new file; - is the standard output.")
    ] = None,
    zipped: Annotated[bool, typer.Option("--zip", help="A folder as zip, not as tar.")] = False,
    as_json: AsJson = False,
) -> None:
    """Look at the files that a recovery point holds, or bring one or a folder out of it."""
    wanted = Wanted(instance=name, point=point, path=path.strip("/"), repository=repository)
    if output is None:
        _show(wanted, as_json=as_json)
        return
    target = None if output == STANDARD_OUTPUT else Path(output)
    _refuse_taken(target)
    download = open_download(opened(), wanted, form="zip" if zipped else "tar", requested_by=who(), now=now())
    written = _write(download, target)
    if target is not None:
        console.print(f"{inert(download.name)}: {written} bytes are in {target}", markup=False)


@app.command("restore-files")
def restore_files(
    name: Name,
    paths: Annotated[list[str], typer.Argument(help="Files and folders among its uploads; / is all of them.", show_default=False)],
    point: Annotated[str | None, typer.Option("--to", help="Recovery point; the newest one if left out.")] = None,
    repository: FromRepository = None,
    beside: Annotated[bool, typer.Option("--beside", help="Into a directory of their own; the CRM's files are left alone.")] = False,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
    detach: Detach = False,
    as_json: AsJson = False,
) -> None:
    """Restore some files into the CRM, which goes on serving; it says first what would change. What they take the place of is kept."""
    wanted = [path.strip("/") for path in paths]
    if not beside and not yes:
        _say_changes(name, wanted, point, repository)
        if typer.prompt(f"Type the name {name} to restore them") != name:
            raise InvalidRequest("The name was not repeated. Nothing was changed.", field="name")
    parameters = {"paths": wanted, "point": point, "beside": beside, "repository": repository}
    carry_out("restore-files", name, parameters, as_json=as_json, detach=detach)


def _say_changes(name: str, paths: Sequence[str], point: str | None, repository: str | None) -> None:
    for path in paths:
        found = compare_files(opened(), Wanted(instance=name, point=point, path=path, repository=repository))
        for how, title in (("changed", "is another one now"), ("new", "is not there now")):
            for one in found.named[how]:
                console.print(f"{inert(one)} {title}", markup=False)
        console.print(
            f"{inert(path) or 'all files'} of {found.point.id}: {found.new} are not there now, {found.changed} are others now, "
            f"{found.same} are the same",
            markup=False,
        )


def _show(wanted: Wanted, *, as_json: bool) -> None:
    pages = list(_pages(wanted))
    entries = [entry for page in pages for entry in page.entries]
    if as_json:
        print_json({**plain(pages[0]), "entries": plain(entries)})
        return
    first = pages[0]
    console.print(f"Recovery point {first.point.id} of {moment(first.point.at)}", markup=False)
    if first.kind != "dir":
        console.print(f"{inert(first.path)} is a {first.kind} of {first.size} bytes", markup=False)
        return
    rows = [(_written(entry), entry.size if entry.kind == "file" else "", moment(entry.modified), entry.permissions) for entry in entries]
    print_table(("NAME", "BYTES", "MODIFIED", "MODE"), rows, empty="Nothing is in this folder.")


def _pages(wanted: Wanted) -> Iterator[Listing]:
    appliance, after = opened(), 0
    while True:
        page = list_files(appliance, wanted, after=after)
        yield page
        if page.next_after is None:
            return
        after = page.next_after


def _written(entry: Entry) -> str:
    return escape(inert(entry.name)) + ("/" if entry.kind == "dir" else "")


def _refuse_taken(target: Path | None) -> None:
    if target is not None and target.exists():
        raise InvalidRequest(f"{target} is there already and was left as it is. Name a new file.", field="output")


def _write(download: Download, target: Path | None) -> int:
    """Give how many bytes were written. A file has its name only when it is whole."""
    written = 0
    try:
        with _into(target) as file:
            for piece in download.reading.pieces():
                file.write(piece)
                written += len(piece)
    finally:
        download.reading.close()
    return written


@contextmanager
def _into(target: Path | None) -> Iterator[IO[bytes]]:
    if target is None:
        yield sys.stdout.buffer
        sys.stdout.buffer.flush()
        return
    part = target.with_name(f"{target.name}.part")
    try:
        descriptor = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except OSError as error:
        raise _unwritable(part, error) from error
    try:
        with os.fdopen(descriptor, "wb") as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        os.link(part, target)  # unlike a renaming, it leaves alone what somebody has put there meanwhile
    except OSError as error:
        raise _unwritable(target, error) from error
    finally:
        with suppress(OSError):
            part.unlink()


def _unwritable(file: Path, error: OSError) -> InvalidRequest:
    return InvalidRequest(f"{file} cannot be written: {error.strerror}. Nothing that was there was changed.", field="output")
