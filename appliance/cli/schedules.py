"""When instances are patched, backed up and drilled by themselves, and hosts and the fleet patched."""

from itertools import islice
from typing import Annotated
from zoneinfo import ZoneInfo

import typer

from appliance.cli.backups import FromRepository, Way
from appliance.cli.opened import now, opened, who
from appliance.cli.output import AsJson, console, moment, print_json, print_table
from appliance.cli.patching import Canaries, Fleet, HostName, Reboot, Updates, chosen
from appliance.cli.requested import Kept, said
from appliance.domain.host import title_of
from appliance.domain.retention import read_numbers
from appliance.domain.schedule import Schedule, ScheduleRequest, Work
from appliance.domain.window import CatchUp
from appliance.domain.window_request import WindowRequest
from appliance.errors import InvalidRequest
from appliance.operations.schedules import add_schedule
from appliance.wiring import Appliance

app = typer.Typer(help="What is done by itself, and when.", no_args_is_help=True)

Name = Annotated[str, typer.Argument(help="Name of the schedule.", show_default=False)]
MaybeName = Annotated[str | None, typer.Argument(help="Name of the schedule.", show_default=False)]
All = Annotated[bool, typer.Option("--all", help="All of them, also those that are added later.")]
Days = Annotated[str, typer.Option(help="SUN, MON-FRI, SAT,SUN, SUN#2 (the second), or three fields of cron.", show_default=False)]
Begin = Annotated[str, typer.Option(help="When the window opens, as 02:00.", show_default=False)]
Minutes = Annotated[int, typer.Option(help="How long the window is open.")]
Every = Annotated[int, typer.Option(help="In the window, begin anew each so many minutes; 0 for once.", show_default=False)]
Jitter = Annotated[
    int, typer.Option(help="Begin up to so many minutes later, chosen once at random, so that not all begin at once.", show_default=False)
]
TimeZone = Annotated[str, typer.Option(help="Whose clock is meant, as Europe/Berlin.")]
Blackouts = Annotated[
    list[str] | None, typer.Option(help="Dates on which nothing is done: 2026-12-24, or 2026-12-24..2027-01-02.", show_default=False)
]
Instance = Annotated[str | None, typer.Option(help="The instance that it is done to.", show_default=False)]
Doing = Annotated[Work, typer.Option(help="What is done; a host and the fleet can only be patched.")]
Missed = Annotated[CatchUp, typer.Option(help="What follows a window that was missed.")]
StopAfter = Annotated[int, typer.Option(help="After so many runs in a row that fail it pauses itself.")]
SHOWN_WINDOWS = 6


@app.command("add")
def add(
    name: Name,
    days: Days,
    begin: Begin,
    instance: Instance = None,
    host: HostName = None,
    fleet: Fleet = False,
    canary: Canaries = None,
    work: Doing = Work.PATCH,
    keep: Kept = None,
    way: Way = None,
    repository: FromRepository = None,
    minutes: Minutes = 180,
    every: Every = 0,
    jitter: Jitter = 0,
    time_zone: TimeZone = "UTC",
    blackout: Blackouts = None,
    what: Updates = None,
    reboot: Reboot = None,
    catch_up: Missed = CatchUp.NEXT_WINDOW,
    stop_after: StopAfter = 2,
    as_json: AsJson = False,
) -> None:
    """Patch an instance, a host or the fleet in every maintenance window; or back an instance up, or drill its newest recovery point.

    A drill reads the dump on the CRM's host, unless `--way log` or `--from REPOSITORY` say otherwise.

    Example: appliance schedule add nightly --instance crm --days SUN --begin 02:00 --time-zone Europe/Berlin;
    each hour of a working day: --work backup --days MON-FRI --begin 07:00 --minutes 720 --every 60
    """
    subject, parameters = chosen(instance, host, fleet), said(what=what, reboot=reboot, canaries=canary)
    parameters |= said(keep=read_numbers(keep or ()), way=way, repository=repository)
    window = WindowRequest(
        days=days, begin=begin, minutes=minutes, time_zone=time_zone, blackouts=blackout or (), every=every, jitter=jitter
    )
    asked = ScheduleRequest(
        name=name, subject=subject, window=window, work=work, parameters=parameters, catch_up=catch_up, stop_after=stop_after
    )
    schedule = add_schedule(opened(), asked, requested_by=who(), now=now())
    print_json(schedule) if as_json else _tell_windows(schedule)


@app.command("list")
def list_schedules(as_json: AsJson = False) -> None:
    """List the schedules, with when each begins next and what was decided last."""
    appliance = opened()
    schedules = appliance.store.schedules.list()
    if as_json:
        print_json({"paused": appliance.store.schedules.paused_by() is not None, "schedules": schedules})
        return
    rows = [(one.name, one.kind, title_of(one.subject), str(one.window), _state(appliance, one), one.note) for one in schedules]
    print_table(("NAME", "DOES", "TO", "WINDOW", "NEXT", "LAST"), rows, empty="There are none.")
    if (paused := appliance.store.schedules.paused_by()) is not None:
        console.print(f"All are paused, by {paused[0]} since {moment(paused[1])}. To go on: appliance schedule resume --all", markup=False)


@app.command("show")
def show(name: Name, as_json: AsJson = False) -> None:
    """Show a schedule and its next windows."""
    schedule = opened().store.schedules.get(name)
    if as_json:
        print_json(schedule)
        return
    console.print(f"{schedule.kind} {title_of(schedule.subject)}: {schedule.window}; {dict(schedule.parameters) or ''}", markup=False)
    console.print(f"missed windows: {schedule.catch_up}; pauses itself after {schedule.stop_after} failures in a row")
    console.print(f"{moment(schedule.noted_at)} {schedule.note}".strip() or "Nothing was decided yet.", markup=False)
    _tell_windows(schedule)


@app.command("pause")
def pause(name: MaybeName = None, every: All = False) -> None:
    """Pause a schedule, or all; an operation that runs goes on."""
    _set_paused(name, every, paused=True)


@app.command("resume")
def resume(name: MaybeName = None, every: All = False) -> None:
    """Let it go on; windows that passed meanwhile are not caught up."""
    _set_paused(name, every, paused=False)


@app.command("remove")
def remove(name: Name) -> None:
    """Forget a schedule; what it has done stays in the list of operations."""
    opened().store.schedules.remove(name, by=who(), now=now())
    console.print(f"{name} was removed.")


def _set_paused(name: str | None, every: bool, *, paused: bool) -> None:
    if (name is None) != every:
        raise InvalidRequest("Name a schedule, or say --all. Nothing was changed.", field="name")
    schedules = opened().store.schedules
    if name is None:
        schedules.pause_all(paused=paused, by=who(), now=now())
    else:
        schedules.pause(name, paused=paused, by=who(), now=now())
    console.print(f"{name or 'All schedules'}: {'paused' if paused else 'resumed'}.")


def _state(appliance: Appliance, schedule: Schedule) -> str:
    found = schedule.window.next(now())
    paused = schedule.paused or appliance.store.schedules.paused_by() is not None
    return "paused" if paused else moment(found.begins) if found else "never"


def _tell_windows(schedule: Schedule) -> None:
    zone = ZoneInfo(schedule.window.time_zone)
    coming = (one for one in schedule.window.occurrences(now()) if one.begins > now())
    rows = [(f"{one.begins.astimezone(zone):%a %Y-%m-%d %H:%M %Z}", moment(one.begins)) for one in islice(coming, SHOWN_WINDOWS)]
    print_table(("NEXT WINDOWS", "HERE"), rows, empty="There is no next window.")
