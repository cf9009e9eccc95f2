"""Request an operation and see it through, or return at once."""

from typing import Annotated, Any

import typer

from appliance.cli.following import Here, Source, exit_code, follow
from appliance.cli.opened import now, opened, who
from appliance.cli.output import console, print_json
from appliance.cli.remote import remote
from appliance.domain.operation import Operation
from appliance.operations.requesting import request

Detach = Annotated[bool, typer.Option("--detach", help="Return at once; the worker carries on.")]
Kept = Annotated[
    list[str] | None,
    typer.Option("--keep", help="Recovery points that stay: daily=7, weekly=4, monthly=12, last=3, …", show_default="all of them"),
]


def said(**parameters: object) -> dict[str, Any]:
    """What was said of an operation's parameters; the others are left to their defaults, or are another subject's."""
    return {name: value for name, value in parameters.items() if value not in (None, [], {})}


def carry_out(kind: str, subject: str, parameters: dict[str, Any], *, as_json: bool, detach: bool) -> None:
    """Request it; follow it and end with its exit code, unless detached or held for somebody's approval."""
    followed: Source
    panel = remote()
    if panel is not None:
        operation, followed = panel.request(kind, subject, parameters), panel
    else:
        appliance = opened()
        operation, followed = request(appliance, kind, subject, parameters, requested_by=who(), now=now()), Here(appliance=appliance)
    if detach or operation.awaits_approval:
        print_json(operation) if as_json else console.print(_told(operation))
        return
    raise typer.Exit(exit_code(follow(followed, operation, as_json=as_json)))


def _told(operation: Operation) -> str:
    if operation.awaits_approval:
        return f"Operation {operation.id} waits until somebody else agrees: appliance operation approve {operation.id}"
    return f"Operation {operation.id} is recorded: appliance operation follow {operation.id}"
