"""What alerts, and who is notified."""

import sys
from pathlib import Path
from typing import Annotated

import typer

from appliance.cli.opened import now, opened, who
from appliance.cli.output import AsJson, console, moment, print_json, print_table
from appliance.domain.channel import Channel, Purpose
from appliance.errors import InvalidRequest
from appliance.operations.alerting import read_alerts
from appliance.operations.channels import add_channel, remove_channel, test_channel
from appliance.operations.digest import digest_of
from monitoring.rules.table import RULES

app = typer.Typer(help="What alerts now, and by which rules.", no_args_is_help=True)
notification_app = typer.Typer(help="Where people are notified of alerts.", no_args_is_help=True)

Name = Annotated[str, typer.Argument(help="Name of the channel.", show_default=False)]


@app.command("list")
def list_alerts(
    changes: Annotated[bool, typer.Option("--changes", help="What has begun and ended of late, instead.")] = False, as_json: AsJson = False
) -> None:
    """List what fires and what is about to. Ends with 1 when the rules were not evaluated of late."""
    book = read_alerts(opened())
    shown = book.changes if changes else book.standing
    if as_json:
        print_json({"evaluated_at": book.evaluated_at, "alerts": shown})
    else:
        rows = [(one.severity, one.state, one.summary, moment(one.at or one.since), one.runbook) for one in shown]
        print_table(("SEVERITY", "STATE", "WHAT", "SINCE", "WHAT TO DO"), rows, empty="Nothing alerts.")
    if book.is_stale(now()):
        console.print("The rules were not evaluated of late, so this may be old: does the monitor run?") if not as_json else None
        raise typer.Exit(1)


@app.command("rules")
def list_rules(as_json: AsJson = False) -> None:
    """List the rules, with their PromQL; the appliance evaluates the same by itself."""
    rules = [{"name": rule.name, "severity": rule.severity, "for": rule.lasting, "promql": rule.promql()} for rule in RULES]
    if as_json:
        print_json(rules)
        return
    rows = [(rule.name, rule.severity.value, str(rule.lasting), rule.promql()) for rule in RULES]
    print_table(("NAME", "SEVERITY", "FOR", "PROMQL"), rows, empty="")


@notification_app.command("add")
def add(
    name: Name,
    url_file: Annotated[
        str, typer.Option(metavar="FILE", help="File with the address as apprise writes it, such as mailtos://…; - reads it from here.")
    ],
    severity: Annotated[list[str] | None, typer.Option(help="critical or warning; both otherwise.")] = None,
    instance: Annotated[list[str] | None, typer.Option(help="Only alerts of this CRM; of everything otherwise.")] = None,
    quiet: Annotated[str, typer.Option(metavar="22:00-06:30", help="When warnings wait.")] = "",
    zone: Annotated[str, typer.Option(help="Time zone of the quiet hours.")] = "UTC",
    weekly: Annotated[bool, typer.Option("--weekly", help="Send the digest of each week there, too, on Mondays at seven.")] = False,
    heartbeat: Annotated[bool, typer.Option("--heartbeat", help="Ask for the address each minute instead; who misses it, alerts.")] = False,
    as_json: AsJson = False,
) -> None:
    """Notify by mail, chat, webhook or push from now on."""
    made = add_channel(
        opened(),
        name=name,
        url=_read(url_file),
        purpose=Purpose.HEARTBEAT if heartbeat else Purpose.ALERTS,
        severities=severity or (),
        crms=instance or (),
        quiet=quiet,
        zone=zone,
        weekly=weekly,
        requested_by=who(),
        now=now(),
    )
    print_json(made) if as_json else console.print(
        f"{name} is notified from now on. Try it: appliance notification test {name}", markup=False
    )


@notification_app.command("digest")
def show_digest(instance: Annotated[list[str] | None, typer.Option(help="Only of this CRM; of all otherwise.")] = None) -> None:
    """Show what the digest of the last seven days says; nobody is sent it. `add --weekly` sends it on Mondays."""
    appliance = opened()
    for name in instance or ():
        appliance.store.instances.get(name)
    message = digest_of(appliance, now(), crms=instance or ())
    console.print(f"{message.title}\n\n{message.body}", markup=False, highlight=False, soft_wrap=True)


@notification_app.command("list")
def list_channels(as_json: AsJson = False) -> None:
    """List the channels, with how the last message went."""
    channels = opened().store.channels.list()
    if as_json:
        print_json(channels)
        return
    rows = [(one.name, one.service, _what(one), str(one.quiet or ""), _state(one), moment(one.noted_at), one.note) for one in channels]
    print_table(("NAME", "BY", "TOLD OF", "QUIET", "STATE", "LAST", "HOW IT WENT"), rows, empty="Nobody is notified yet.")


@notification_app.command("test")
def test(name: Name) -> None:
    """Send a message that says it is a test. Ends with 1 and the reason when it does not get through."""
    test_channel(opened(), name, requested_by=who(), now=now())
    console.print(f"A test was sent by {name}.", markup=False)


@notification_app.command("remove")
def remove(name: Name) -> None:
    """Notify there no longer; the address is forgotten."""
    remove_channel(opened(), name, requested_by=who(), now=now())
    console.print(f"{name} was removed.", markup=False)


def _what(channel: Channel) -> str:
    if channel.purpose is Purpose.HEARTBEAT:
        return "that alerts are evaluated"
    weekly = ", weekly" if channel.weekly else ""
    return f"{', '.join(channel.severities)}{weekly} of {', '.join(channel.crms) or 'everything'}"


def _state(channel: Channel) -> str:
    return "not used yet" if channel.noted_at is None else "fails" if channel.failures else "works"


def _read(file: str) -> str:
    try:
        return sys.stdin.read() if file == "-" else Path(file).read_text()
    except (OSError, UnicodeDecodeError) as error:
        raise InvalidRequest(f"{file} cannot be read: {error}. Nothing was changed.", field="url") from None
