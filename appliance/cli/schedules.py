"""When instances, hosts and the fleet are patched by themselves."""

from datetime import timedelta
from itertools import islice
from typing import Annotated
from zoneinfo import ZoneInfo

import typer

from appliance.cli.opened import now, opened, who
from appliance.cli.output import AsJson, console, moment, print_json, print_table
from appliance.cli.patching import Canaries, Fleet, HostName, Reboot, Updates, chosen
from appliance.domain.host import title_of
from appliance.domain.schedule import Schedule
from appliance.domain.window import CatchUp, Window, parse_blackout
from appliance.errors import InvalidRequest
from appliance.operations.schedules import add_schedule
from appliance.wiring import Appliance

app = typer.Typer(help="When instances and hosts are patched by themselves.", no_args_is_help=True)

Name = Annotated[str, typer.Argument(help="Name of the schedule.", show_default=False)]
MaybeName = Annotated[str | None, typer.Argument(help="Name of the schedule.", show_default=False)]
All = Annotated[bool, typer.Option("--all", help="All of them, also those that are added later.")]
SHOWN_WINDOWS = 6


@app.command("add")
def add(
    name: Name,
    days: Annotated[str, typer.Option(help="SUN, MON-FRI, SAT,SUN, SUN#2 (the second), or three fields of cron.", show_default=False)],
    begin: Annotated[str, typer.Option(help="When the window opens, as 02:00.", show_default=False)],
    instance: Annotated[str | None, typer.Option(help="The instance to patch.", show_default=False)] = None,
    host: HostName = None,
    fleet: Fleet = False,
    canary: Canaries = None,
    minutes: Annotated[int, typer.Option(help="How long the window is open.")] = 180,
    time_zone: Annotated[str, typer.Option(help="Whose clock is meant, as Europe/Berlin.")] = "UTC",
    blackout: Annotated[
        list[str] | None, typer.Option(help="Dates on which nothing is done: 2026-12-24, or 2026-12-24..2027-01-02.", show_default=False)
    ] = None,
    what: Updates = None,
    reboot: Reboot = None,
    catch_up: Annotated[CatchUp, typer.Option(help="What follows a window that was missed.")] = CatchUp.NEXT_WINDOW,
    stop_after: Annotated[int, typer.Option(help="After so many runs in a row that fail it pauses itself.")] = 2,
    as_json: AsJson = False,
) -> None:
    """Patch an instance, a host or the fleet in every maintenance window.

    Example: appliance schedule add nightly --instance crm --days SUN --begin 02:00 --time-zone Europe/Berlin
    """
    subject, parameters = chosen(instance, host, fleet, what=what, reboot=reboot, canaries=canary)
    blackouts = tuple(map(parse_blackout, blackout or ()))
    window = Window(days=days, begin=begin, length=timedelta(minutes=minutes), time_zone=time_zone, blackouts=blackouts)
    schedule = add_schedule(
        opened(),
        name=name,
        subject=subject,
        window=window,
        parameters=parameters,
        catch_up=catch_up,
        stop_after=stop_after,
        requested_by=who(),
        now=now(),
    )
    print_json(schedule) if as_json else _tell_windows(schedule)


@app.command("list")
def list_schedules(as_json: AsJson = False) -> None:
    """List the schedules, with when each begins next and what was decided last."""
    appliance = opened()
    schedules = appliance.store.schedules.list()
    if as_json:
        print_json({"paused": appliance.store.schedules.paused_by() is not None, "schedules": schedules})
        return
    rows = [(one.name, title_of(one.subject), str(one.window), _state(appliance, one), one.note) for one in schedules]
    print_table(("NAME", "PATCHES", "WINDOW", "NEXT", "LAST"), rows, empty="There are none.")
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
