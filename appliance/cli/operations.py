"""What was done, is done and waits to be done."""

from typing import Annotated

import typer

from appliance.cli.following import exit_code, follow
from appliance.cli.opened import now, opened, who
from appliance.cli.output import AsJson, console, moment, print_json, print_table
from appliance.domain.host import subject_of, title_of
from appliance.domain.transfer import transferred
from appliance.operations.requesting import approve, cancel, retry

app = typer.Typer(help="What was done, is done and waits.", no_args_is_help=True)

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
    operation = opened().store.operations.get(operation_id)
    if as_json:
        print_json(operation)
        return
    console.print(f"{operation.kind} {title_of(operation.instance)}: {operation.status.value.replace('_', ' ')}, {operation.percent} %")
    for text in (operation.transfer and transferred(operation.transfer), operation.cause, operation.next_action):
        if text:
            console.print(text, markup=False)
    rows = [(step.name, step.status.value, moment(step.started_at), moment(step.finished_at), step.detail) for step in operation.steps]
    print_table(("STEP", "STATUS", "STARTED", "FINISHED", ""), rows, empty="It has no steps.")


@app.command("follow")
def follow_operation(operation_id: Id, as_json: AsJson = False) -> None:
    """Watch an operation to its end; the exit code says how it ended."""
    appliance = opened()
    raise typer.Exit(exit_code(follow(appliance, appliance.store.operations.get(operation_id), as_json=as_json)))


@app.command("cancel")
def cancel_operation(operation_id: Id, as_json: AsJson = False) -> None:
    """Ask an operation to stop at its next safe point; what it has begun is undone."""
    operation = cancel(opened(), operation_id, requested_by=who(), now=now())
    print_json(operation) if as_json else console.print(f"Operation {operation_id} was asked to stop; it does at its next safe point.")


@app.command("approve")
def approve_operation(operation_id: Id, as_json: AsJson = False) -> None:
    """Agree to what somebody else has requested of an instance that asks for it, and watch it to its end."""
    appliance = opened()
    operation = approve(appliance, operation_id, approved_by=who(), now=now())
    raise typer.Exit(exit_code(follow(appliance, operation, as_json=as_json)))


@app.command("retry")
def retry_operation(operation_id: Id, as_json: AsJson = False) -> None:
    """Try an ended operation again, or go on with one that needs attention."""
    appliance = opened()
    operation = retry(appliance, operation_id, requested_by=who(), now=now())
    raise typer.Exit(exit_code(follow(appliance, operation, as_json=as_json)))
