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
from appliance.domain.calendar import Run
from appliance.domain.host import FLEET, title_of
from appliance.domain.objectives import read_length
from appliance.domain.retention import read_numbers
from appliance.domain.schedule import AllPaused, Schedule, ScheduleRequest, Work
from appliance.domain.window import CatchUp
from appliance.domain.window_request import WindowRequest
from appliance.errors import InvalidRequest
from appliance.operations.calendars import calendar_of
from appliance.operations.pausing import pause_all, resume_all
from appliance.operations.schedules import add_schedule
from appliance.wiring import Appliance

app = typer.Typer(help="What is done by itself, and when.", no_args_is_help=True)

Name = Annotated[str, typer.Argument(help="Name of the schedule.", show_default=False)]
MaybeName = Annotated[str | None, typer.Argument(help="Name of the schedule.", show_default=False)]
All = Annotated[bool, typer.Option("--all", help="All of them, also those that are added later.")]
Reason = Annotated[str, typer.Option(help="With --all: why, for whoever finds them paused.", show_default=False)]
Length = Annotated[
    str, typer.Option("--for", help="With --all: for how long, as 8h or 2d; until they are resumed, unless you say so.", show_default=False)
]
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

    Each hour of a working day is --work backup --days MON-FRI --begin 07:00 --minutes 720 --every 60.
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
        paused = appliance.store.schedules.all_paused(now())
        print_json({"paused": paused is not None, "pause": paused, "schedules": schedules})
        return
    rows = [(one.name, one.kind, title_of(one.subject), str(one.window), _state(appliance, one), one.note) for one in schedules]
    print_table(("NAME", "DOES", "TO", "WINDOW", "NEXT", "LAST"), rows, empty="There are none.")
    if (paused := appliance.store.schedules.all_paused(now())) is not None:
        console.print(f"All are paused, {_told_pause(paused)}. To go on: appliance schedule resume --all", markup=False)


@app.command("calendar")
def show_calendar(instance: Instance = None, as_json: AsJson = False) -> None:
    """Show what is done by itself in the next two weeks, each in the time zone of its window."""
    appliance = opened()
    schedules = appliance.store.schedules.of([instance, FLEET]) if instance else appliance.store.schedules.list()
    runs = calendar_of(appliance, schedules, now())
    if as_json:
        told = [{"schedule": run.schedule.name, "kind": run.schedule.kind, "subject": run.schedule.subject, **_times(run)} for run in runs]
        print_json(told)
        return
    rows = [
        (f"{run.begins:%a %Y-%m-%d}", f"{run.begins:%H:%M}-{run.ends:%H:%M}", run.schedule.kind, title_of(run.schedule.subject), _said(run))
        for run in runs
    ]
    print_table(("DAY", "WINDOW", "DOES", "TO", ""), rows, empty="Nothing is done by itself.")
    if (paused := appliance.store.schedules.all_paused(now())) is not None:
        console.print(f"All are paused, {_told_pause(paused)}.", markup=False)


def _times(run: Run) -> dict[str, object]:
    return {"begins": run.begins, "ends": run.ends, "times": run.times, "waits_for": run.waits_for}


def _said(run: Run) -> str:
    often = f"{run.times} times" if run.times > 1 else ""
    waits = f"waits for {run.waits_for}" if run.waits_for else ""
    return ", ".join(filter(None, [run.schedule.window.time_zone, often, waits]))


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
def pause(name: MaybeName = None, every: All = False, reason: Reason = "", length: Length = "", as_json: AsJson = False) -> None:
    """Pause a schedule, or all; an operation that runs goes on. All can be paused with a reason, and for a while."""
    _demand_one(name, every)
    if name is None:
        begun = pause_all(opened(), reason=reason, length=read_length(length, "length"), by=who(), now=now())
        print_json(begun) if as_json else console.print(f"All schedules: paused, {_told_pause(begun)}.", markup=False)
        return
    if reason or length:
        raise InvalidRequest("--reason and --for belong to --all. Nothing was changed.", field="reason")
    _tell_paused(opened().store.schedules.pause(name, paused=True, by=who(), now=now()), as_json=as_json)


@app.command("resume")
def resume(name: MaybeName = None, every: All = False, as_json: AsJson = False) -> None:
    """Let it go on; windows that passed meanwhile are not caught up."""
    _demand_one(name, every)
    if name is None:
        resume_all(opened(), by=who(), now=now())
        print_json({"paused": False}) if as_json else console.print("All schedules: resumed.")
        return
    _tell_paused(opened().store.schedules.pause(name, paused=False, by=who(), now=now()), as_json=as_json)


@app.command("remove")
def remove(name: Name) -> None:
    """Forget a schedule; what it has done stays in the list of operations."""
    opened().store.schedules.remove(name, by=who(), now=now())
    console.print(f"{name} was removed.")


def _demand_one(name: str | None, every: bool) -> None:
    if (name is None) != every:
        raise InvalidRequest("Name a schedule, or say --all. Nothing was changed.", field="name")


def _tell_paused(schedule: Schedule, *, as_json: bool) -> None:
    print_json(schedule) if as_json else console.print(f"{schedule.name}: {'paused' if schedule.paused else 'resumed'}.")


def _told_pause(pause: AllPaused) -> str:
    why = f" ({pause.reason})" if pause.reason else ""
    end = f"until {moment(pause.until)}" if pause.until else "until somebody resumes them"
    return f"by {pause.by} since {moment(pause.since)}{why}, {end}"


def _state(appliance: Appliance, schedule: Schedule) -> str:
    found = schedule.window.next(now())
    paused = schedule.paused or appliance.store.schedules.all_paused(now()) is not None
    return "paused" if paused else moment(found.begins) if found else "never"


def _tell_windows(schedule: Schedule) -> None:
    zone = ZoneInfo(schedule.window.time_zone)
    coming = (one for one in schedule.window.occurrences(now()) if one.begins > now())
    rows = [(f"{one.begins.astimezone(zone):%a %Y-%m-%d %H:%M %Z}", moment(one.begins)) for one in islice(coming, SHOWN_WINDOWS)]
    print_table(("NEXT WINDOWS", "HERE"), rows, empty="There is no next window.")
