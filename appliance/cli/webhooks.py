"""Webhooks: where programs are told what happens."""

from typing import Annotated

import typer

from appliance.cli.opened import now, opened, who
from appliance.cli.output import AsJson, console, moment, print_json, print_table
from appliance.domain.webhook import DeliveryStatus
from appliance.operations.webhooks import add_webhook, remove_webhook, renew_secret, test_webhook

app = typer.Typer(help="Where programs are told what happens, by signed messages.", no_args_is_help=True)

Name = Annotated[str, typer.Argument(help="Name of the webhook.", show_default=False)]


@app.command("add")
def add(
    name: Name,
    url: Annotated[str, typer.Argument(help="https://… or http://…, without name and password.", show_default=False)],
    event: Annotated[list[str] | None, typer.Option(help="A type of event, such as operation.failed; all of them otherwise.")] = None,
    as_json: AsJson = False,
) -> None:
    """Tell a program what happens from now on. Prints the secret that its messages are signed with, this once."""
    made, secret = add_webhook(opened(), name=name, url=url, events=event or (), requested_by=who(), now=now())
    print_json({"name": made.name, "url": made.url, "events": made.events, "secret": secret}) if as_json else print(secret)


@app.command("list")
def list_webhooks(as_json: AsJson = False) -> None:
    """List the webhooks."""
    found = opened().store.webhooks.list()
    if as_json:
        print_json(found)
        return
    rows = [(one.name, one.url, ", ".join(one.events)) for one in found]
    print_table(("NAME", "ADDRESS", "TOLD OF"), rows, empty="No program is told what happens.")


@app.command("deliveries")
def list_deliveries(
    name: Name, limit: Annotated[int, typer.Option(min=1, max=1000, help="How many at the most.")] = 20, as_json: AsJson = False
) -> None:
    """List the messages of a webhook, newest first, with how the last attempt went."""
    found = opened().store.webhooks.deliveries(name, limit=limit)
    if as_json:
        print_json(found)
        return
    rows = [(one.message, one.type, one.status.value, one.attempts, moment(one.tried_at), moment(one.try_at), one.note) for one in found]
    print_table(("MESSAGE", "EVENT", "STATUS", "ATTEMPTS", "LAST", "NEXT", "HOW IT WENT"), rows, empty="Nothing was sent yet.")


@app.command("test")
def send_test(name: Name, as_json: AsJson = False) -> None:
    """Send a message that says it is a test. Ends with 1 when it does not arrive; it is tried again then."""
    sent = test_webhook(opened(), name, requested_by=who(), now=now())
    arrived = sent.status is DeliveryStatus.DELIVERED
    print_json(sent) if as_json else console.print(f"The test {'arrived' if arrived else f'did not arrive: {sent.note}'}.", markup=False)
    raise typer.Exit(0 if arrived else 1)


@app.command("secret")
def renew(
    name: Name, at_once: Annotated[bool, typer.Option("--at-once", help="The old secret ends now: somebody else may know it.")] = False
) -> None:
    """Sign with a new secret from now on, and print it this once. For 24 hours messages are signed with the old one, too."""
    print(renew_secret(opened(), name, requested_by=who(), now=now(), at_once=at_once))


@app.command("remove")
def remove(name: Name) -> None:
    """Tell it no longer; its messages and its secret are forgotten."""
    remove_webhook(opened(), name, requested_by=who(), now=now())
    console.print(f"{name} was removed.", markup=False)
