"""Keep what instances hold, and bring it back: recovery points, archives, restores and drills."""

from datetime import datetime
from typing import Annotated, Any
from urllib.parse import quote

import typer

from appliance.cli.completing import complete_instance
from appliance.cli.opened import now, opened
from appliance.cli.output import AsJson, console, moment, print_json, print_table
from appliance.cli.remote import Remote, remote
from appliance.cli.requested import Detach, Kept, carry_out, said
from appliance.domain.measures import duration
from appliance.domain.retention import read_numbers
from appliance.errors import ApplianceError, InvalidRequest, NotFound
from appliance.operations.drilled import drills_of
from appliance.operations.foreseeing import foresee_loss
from appliance.operations.previewing import preview_retention

app = typer.Typer()

Name = Annotated[str, typer.Argument(help="Name of the instance.", show_default=False, autocompletion=complete_instance)]
At = Annotated[
    str | None, typer.Option(help='A moment, as "2026-11-22 14:05:30", or latest; in this machine\'s time zone unless it says another one.')
]
Way = Annotated[
    str | None, typer.Option(help="How the database comes back: from its dump, or from its files and its log.", metavar="dump|log")
]
FromRepository = Annotated[
    str | None, typer.Option("--from", help="A repository elsewhere to read from; `appliance repository list` names them.")
]
Data = Annotated[
    str, typer.Option(help="How much of the data is read: none, the seventh whose turn it is, or all.", metavar="none|part|all")
]


def read_moment(text: str) -> str:
    """A moment with its time zone, as the API takes it. Raises InvalidRequest."""
    if text == "latest":
        return text
    try:
        moment_given = datetime.fromisoformat(text)
    except ValueError:
        raise InvalidRequest(f'{text[:60]!r} is no moment; write "2026-11-22 14:05:30". Nothing was changed.', field="at") from None
    return (moment_given if moment_given.tzinfo else moment_given.astimezone()).isoformat()


@app.command()
def backup(
    name: Name,
    keep: Kept = None,
    preview: Annotated[bool, typer.Option("--preview", help="Only say what `--keep` would give up now.")] = False,
    detach: Detach = False,
    as_json: AsJson = False,
) -> None:
    """Take a recovery point; with `--keep`, give up those that are not to be kept then."""
    if preview:
        _preview(name, read_numbers(keep or ()), as_json=as_json)
        return
    carry_out("backup", name, said(keep=read_numbers(keep or ())), as_json=as_json, detach=detach)


def _preview(name: str, keep: dict[str, int], *, as_json: bool) -> None:
    found = preview_retention(opened(), name, keep, now())
    if as_json:
        print_json(found)
        return
    rows = [(one.point.id, moment(one.point.at), ", ".join(one.reasons) or "no: it would be given up") for one in found.points]
    print_table(("POINT", "AT", "KEPT"), rows, empty=f"There is no recovery point yet. Take one: appliance backup {name}")
    if found.refused:
        console.print(found.refused, markup=False)


@app.command()
def archive(
    name: Name,
    wanted: Annotated[bool, typer.Option("--on/--off", help="Whether the log of its database is received.")] = True,
    afresh: Annotated[bool, typer.Option("--afresh", help="Begin a new log, where the one that there is has a gap.")] = False,
    detach: Detach = False,
    as_json: AsJson = False,
) -> None:
    """Keep every change, so that any moment can be gone back to; called again, it saves a new base, from which going back is faster."""
    carry_out("archive", name, {"wanted": wanted, "afresh": afresh}, as_json=as_json, detach=detach)


@app.command()
def check(
    name: Name,
    data: Data = "part",
    sample: Annotated[int, typer.Option(help="How many live files are compared with the newest recovery point; 0 for none.")] = 200,
    tolerate: Annotated[int, typer.Option(help="How many of a hundred may be missing or differ, though not written since.")] = 5,
    accept_loss: Annotated[
        bool, typer.Option("--accept-loss", help="Recovery points that have gone from a repository are forgotten.")
    ] = False,
    detach: Detach = False,
    as_json: AsJson = False,
) -> None:
    """Check that the repositories with an instance's recovery points are whole and hold all of them, and that live files are as saved.

    Of the data some or all is read. A file that was written since its recovery point is expected to differ.
    """
    told = {"data": data, "sample": sample, "tolerated_percent": tolerate, "accept_loss": accept_loss}
    carry_out("check", name, told, as_json=as_json, detach=detach)


@app.command()
def retention(name: Name, detach: Detach = False, as_json: AsJson = False) -> None:
    """Give up elsewhere what is not to be kept there, where a repository has credentials for that: appliance repository retention."""
    carry_out("retention", name, {}, as_json=as_json, detach=detach)


@app.command("recovery-points")
def recovery_points(
    name: Annotated[str | None, typer.Argument(help="Name of an instance, which may have been removed; all if left out.")] = None,
    as_json: AsJson = False,
) -> None:
    """List the moments an instance can be brought back to, newest first; without a name those of all, of removed ones too."""
    if (panel := remote()) is not None:
        _list_remote(panel, name, as_json=as_json)
        return
    store = opened().store
    points = store.points.all() if name is None else store.points.list(name)
    if not points and name is not None:
        store.instances.get(name)  # a removed instance may have points; an unknown one is refused
    if as_json:
        print_json(points)
        return
    there = {instance.name for instance in store.instances.list()}
    rows = [
        (
            point.id,
            point.instance if point.instance in there else f"{point.instance} (removed)",
            moment(point.at),
            point.record["release"],
            f"proven {moment(point.proven_at)}" if point.proven_at else "unproven",
        )
        for point in points
    ]
    empty = f"There is no recovery point yet. Take one: appliance backup {name or 'NAME'}"
    print_table(("POINT", "INSTANCE", "AT", "RELEASE", "PROOF"), rows, empty=empty)


def _list_remote(panel: Remote, name: str | None, *, as_json: bool) -> None:
    points = panel.rows("/recovery-points" if name is None else f"/instances/{quote(name, safe='')}/recovery-points")
    if as_json:
        print_json(points)
        return
    rows = [(one["id"], one["instance"], one["at"], one["record"].get("release"), one["proven_at"] or "unproven") for one in points]
    print_table(("POINT", "INSTANCE", "AT", "RELEASE", "PROVEN"), rows, empty="There is no recovery point.")


@app.command()
def restore(
    name: Name,
    to: Annotated[str | None, typer.Option(help="Recovery point; the newest one if left out.")] = None,
    at: At = None,
    way: Way = None,
    repository: FromRepository = None,
    host: Annotated[str | None, typer.Option(help="With --as and --from: another host to restore on.", show_default=False)] = None,
    beside: Annotated[str | None, typer.Option("--as", help="Restore beside, as a new instance of this name.")] = None,
    only: Annotated[
        str | None, typer.Option(help="In place: only the database, or only the files; the other part stays.", metavar="database|files")
    ] = None,
    safety_backup: Annotated[bool, typer.Option(help="Back up what is there now before it is replaced.")] = True,
    preview: Annotated[
        bool, typer.Option("--preview", help="In place: only say what was entered and uploaded since, and would be lost.")
    ] = False,
    yes: Annotated[bool, typer.Option("--yes", help="In place: do not say what would be lost, and do not ask.")] = False,
    detach: Detach = False,
    as_json: AsJson = False,
) -> None:
    """Bring an instance back: in place (what serves now is kept as the way back), or beside as a new instance."""
    wanted = said(at=at and read_moment(at), way=way, repository=repository)
    _check_together(at=at, beside=beside, only=only, preview=preview)
    if preview:
        _foresee(name, to, repository, as_json=as_json)
    elif beside is not None:
        source = {"source": name, "point": to, **said(host=host)}
        carry_out("restore-beside", beside, source | wanted, as_json=as_json, detach=detach)
    else:
        if not yes:
            _ask_before(name, to, at, repository)
        parameters = {"point": to, "safety_backup": safety_backup, **said(only=only)}
        carry_out("restore", name, parameters | wanted, as_json=as_json, detach=detach)


def _check_together(*, at: str | None, beside: str | None, only: str | None, preview: bool) -> None:
    """Raise InvalidRequest for options that contradict each other."""
    if beside is not None and only is not None:
        raise InvalidRequest("A CRM beside needs both database and files. Nothing was changed; leave --only out.", field="only")
    if preview and (at is not None or beside is not None):
        raise InvalidRequest("What would be lost is told of a recovery point in place. Leave --at and --as out.", field="preview")


def _ask_before(name: str, point: str | None, at: str | None, repository: str | None) -> None:
    """Say what would be lost, and have the name typed. Raises InvalidRequest, NotFound.

    What cannot be foreseen, since nothing serves any more, is no reason not to restore.
    """
    if remote() is None:
        opened().store.instances.get(name)
    if at is None:
        try:
            _foresee(name, point, repository, as_json=False)
        except (NotFound, InvalidRequest):
            raise
        except ApplianceError as failure:
            console.print(f"What would be lost is not known: {failure}", markup=False)
    if typer.prompt(f"Type the name {name} to restore it in place") != name:
        raise InvalidRequest("The name was not repeated. Nothing was changed.", field="name")


def _foresee(name: str, point: str | None, repository: str | None, *, as_json: bool) -> None:
    panel = remote()
    if panel is not None:
        _tell_loss(panel.get(f"/instances/{quote(name, safe='')}/loss", point=point, repository=repository), as_json=as_json)
        return
    loss = foresee_loss(opened(), name, point=point, repository=repository)
    if as_json:
        print_json(loss)
        return
    console.print(f"Since {moment(loss.point.at)} ({loss.point.id}), in what serves now:", markup=False)
    console.print(f"Records: {loss.records}.", markup=False)
    console.print(f"Uploads: {loss.uploads}.", markup=False)


def _tell_loss(loss: dict[str, Any], *, as_json: bool) -> None:
    """As another machine's panel has foreseen it."""
    if as_json:
        print_json(loss)
        return
    console.print(f"Since {loss['point']}, in what serves now:", markup=False)
    console.print(f"Records: {loss['records']}.", markup=False)
    console.print(f"Uploads: {loss['uploads']}.", markup=False)


@app.command()
def drill(
    name: Name,
    to: Annotated[str | None, typer.Option(help="Recovery point; the newest one if left out.")] = None,
    way: Way = None,
    repository: FromRepository = None,
    host: Annotated[str | None, typer.Option(help="With --from: another host to restore the copy on.", show_default=False)] = None,
    detach: Detach = False,
    as_json: AsJson = False,
) -> None:
    """Prove a recovery point: restore it into a scratch copy, log in, write, count every record, throw the copy away."""
    carry_out("drill", name, {"point": to, **said(way=way, repository=repository, host=host)}, as_json=as_json, detach=detach)


@app.command()
def drills(
    name: Annotated[str | None, typer.Argument(help="Name of an instance; all if left out.")] = None,
    as_json: AsJson = False,
) -> None:
    """List what drills have shown, newest first: how long it took until the copy was in service, and how old its data was."""
    store = opened().store
    if name is not None:
        store.instances.get(name)
    found = drills_of(store, name)
    if as_json:
        print_json(found)
        return
    rows = [
        (
            moment(one.at),
            one.operation.instance,
            f"{one.way}{f' in {one.repository}' if one.repository else ''}",
            one.operation.status.value.replace("_", " "),
            "" if one.took is None else duration(one.took),
            "" if one.data_age is None else duration(one.data_age),
            one.operation.id,
        )
        for one in found
    ]
    titles = ("ENDED", "INSTANCE", "FROM", "STATUS", "IN SERVICE AFTER", "DATA WAS OLD", "OPERATION")
    print_table(titles, rows, empty=f"There was none yet. Prove a recovery point: appliance drill {name or 'NAME'}")
