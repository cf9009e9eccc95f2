"""What was done, is done and waits to be done."""

from typing import Annotated

import typer
from pydantic import TypeAdapter

from appliance.cli.following import Here, exit_code, follow, source
from appliance.cli.opened import now, opened, who
from appliance.cli.output import AsJson, console, moment, plain, print_json, print_table
from appliance.cli.remote import remote
from appliance.domain.host import subject_of, title_of
from appliance.domain.operation import Operation
from appliance.domain.shared_log import USUAL_DAYS
from appliance.domain.transfer import transferred
from appliance.operations.requesting import approve, retry
from appliance.operations.sharing import share

app = typer.Typer(help="What was done, is done and waits.", no_args_is_help=True)

LISTED = TypeAdapter(list[Operation])
Id = Annotated[int, typer.Argument(help="Number of the operation.", show_default=False)]


@app.command("list")
def list_operations(
    instance: Annotated[str | None, typer.Option(help="Only those of this instance.")] = None,
    host: Annotated[str | None, typer.Option(help="Only those on this host itself.")] = None,
    limit: Annotated[int, typer.Option(min=1, max=1000, help="How many at the most.")] = 20,
    as_json: AsJson = False,
) -> None:
    """List operations, newest first."""
    subject = instance if host is None else subject_of(host)
    if (panel := remote()) is not None:
        operations = LISTED.validate_python(panel.rows("/operations", within="operations", instance=subject, limit=limit))
    else:
        operations = opened().store.operations.list(instance=subject, limit=limit)
    if as_json:
        print_json(operations)
        return
    rows = [
        (one.id, one.kind, title_of(one.instance), one.status.value.replace("_", " "), moment(one.requested_at), one.requested_by)
        for one in operations
    ]
    print_table(("ID", "KIND", "OF", "STATUS", "REQUESTED", "BY"), rows, empty="Nothing was done yet.")


@app.command("show")
def show_operation(operation_id: Id, as_json: AsJson = False) -> None:
    """Show an operation with its steps."""
    operation = source().operation(operation_id)
    if as_json:
        print_json(operation)
        return
    console.print(f"{operation.kind} {title_of(operation.instance)}: {operation.status.value.replace('_', ' ')}, {operation.percent} %")
    for text in (operation.transfer and transferred(operation.transfer), operation.cause, operation.next_action):
        if text:
            console.print(text, markup=False)
    rows = [(step.name, step.status.value, moment(step.started_at), moment(step.finished_at), step.detail) for step in operation.steps]
    print_table(("STEP", "STATUS", "STARTED", "FINISHED", ""), rows, empty="It has no steps.")


@app.command("share")
def share_log(
    operation_id: Id,
    days: Annotated[int, typer.Option(help="How long the link lasts: 1 to 30.")] = USUAL_DAYS,
    as_json: AsJson = False,
) -> None:
    """Make a link that shows the log of an operation that has ended, without secrets, names and addresses, and without a log-in."""
    appliance = opened()
    url, made = share(appliance, appliance.store.operations.get(operation_id), days=days, by=who(), now=now())
    if as_json:
        print_json({**plain(made), "url": url})
        return
    console.print(f"Until {moment(made.until)}, shown this once:", markup=False)
    print(url)


@app.command("shares")
def list_shares(operation_id: Id, as_json: AsJson = False) -> None:
    """List the links to the log of an operation that last."""
    shares = opened().store.shares.of(operation_id, now=now())
    if as_json:
        print_json(shares)
        return
    print_table(
        ("LINK", "BY", "MADE", "UNTIL"), [(one.id, one.by, moment(one.at), moment(one.until)) for one in shares], empty="There are none."
    )


@app.command("unshare")
def unshare_log(operation_id: Id, link: Annotated[str, typer.Argument(help="As `operation shares` lists it.", show_default=False)]) -> None:
    """Let a link open nothing from now on."""
    opened().store.shares.revoke(operation_id, link, by=who(), now=now())
    console.print(f"{link} opens nothing any more.", markup=False)


@app.command("follow")
def follow_operation(operation_id: Id, as_json: AsJson = False) -> None:
    """Watch an operation to its end; the exit code says how it ended."""
    followed = source()
    raise typer.Exit(exit_code(follow(followed, followed.operation(operation_id), as_json=as_json)))


@app.command("cancel")
def cancel_operation(operation_id: Id, as_json: AsJson = False) -> None:
    """Ask an operation to stop at its next safe point; what it has begun is undone."""
    followed = source()
    followed.cancel(operation_id)
    operation = followed.operation(operation_id)
    print_json(operation) if as_json else console.print(f"Operation {operation_id} was asked to stop; it does at its next safe point.")


@app.command("approve")
def approve_operation(operation_id: Id, as_json: AsJson = False) -> None:
    """Agree to what somebody else has requested of an instance that asks for it, and watch it to its end."""
    if (panel := remote()) is not None:
        raise typer.Exit(exit_code(follow(panel, panel.act(operation_id, "approve"), as_json=as_json)))
    appliance = opened()
    operation = approve(appliance, operation_id, approved_by=who(), now=now())
    raise typer.Exit(exit_code(follow(Here(appliance=appliance), operation, as_json=as_json)))


@app.command("retry")
def retry_operation(operation_id: Id, as_json: AsJson = False) -> None:
    """Try an ended operation again, or go on with one that needs attention."""
    if (panel := remote()) is not None:
        raise typer.Exit(exit_code(follow(panel, panel.act(operation_id, "retry"), as_json=as_json)))
    appliance = opened()
    operation = retry(appliance, operation_id, requested_by=who(), now=now())
    raise typer.Exit(exit_code(follow(Here(appliance=appliance), operation, as_json=as_json)))
