"""The command line: does what the panel does, and says how it ended by its exit code."""

import sys
from pathlib import Path
from typing import Annotated

import typer

from appliance import errors
from appliance.cli import (
    access,
    alerts,
    attention,
    audit,
    backups,
    certificates,
    completing,
    configuring,
    files,
    hosts,
    instances,
    login_provider,
    machine,
    notices,
    operations,
    patching,
    pending,
    processes,
    products,
    repositories,
    schedules,
    secrets,
    stacks,
    tables,
    users,
    webhooks,
)
from appliance.cli.examples import show_examples
from appliance.cli.output import print_error
from appliance.cli.remote import CHOSEN, Chosen

EXIT_CODES: dict[type[Exception], int] = {
    errors.PreflightFailed: 4,
    errors.HostRefused: 4,
    errors.HostUnreachable: 4,
    errors.Conflict: 5,
    errors.InvalidRequest: 2,
    errors.NotFound: 2,
    errors.ConfigurationError: 2,
    errors.Cancelled: 130,
    errors.ApplianceError: 1,
}
"""How a refusal ends; operations end as `operations.EXIT_CODES` says."""

app = typer.Typer(
    name="appliance",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)
for room in (processes, completing, instances, backups, files, tables, machine, pending, patching):
    app.registered_commands += room.app.registered_commands
app.registered_commands += repositories.kit_app.registered_commands
instances.instance_app.registered_commands += configuring.app.registered_commands
app.add_typer(instances.instance_app, name="instance")
app.add_typer(products.app, name="product")
app.add_typer(hosts.app, name="host")
app.add_typer(operations.app, name="operation")
app.add_typer(repositories.app, name="repository")
app.add_typer(attention.app, name="attention")
app.add_typer(alerts.app, name="alert")
app.add_typer(alerts.notification_app, name="notification")
app.add_typer(webhooks.app, name="webhook")
app.add_typer(schedules.app, name="schedule")
app.add_typer(secrets.app, name="secrets")
app.add_typer(stacks.app, name="stack")
app.add_typer(notices.app, name="notice")
app.add_typer(certificates.app, name="certificate")
app.add_typer(certificates.ca_app, name="ca")
app.add_typer(machine.panel_app, name="panel")
app.add_typer(access.app, name="token")
app.add_typer(access.session_app, name="session")
app.add_typer(users.app, name="user")
app.add_typer(login_provider.app, name="login-provider")
app.add_typer(audit.app, name="audit")
show_examples(app)


@app.callback()
def choose(
    context: typer.Context,
    url: Annotated[str, typer.Option(envvar="APPLIANCE_URL", help="The panel of another machine, as https://panel.example.org.")] = "",
    token: Annotated[
        str, typer.Option(metavar="FILE", help="File with a bearer token for it; - reads it from here. Otherwise APPLIANCE_TOKEN has it.")
    ] = "",
    ca: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Certificate (PEM) of the authority that its certificate is from.")
    ] = None,
) -> None:
    """Install, back up, prove, upgrade and watch a CRM on your own machine.

    With --url the command is carried out by the panel of another machine, for whoever its token is of: operations are requested,
    followed, cancelled and listed, as are CRMs, recovery points, what is pending, what needs attention and the audit. All else works on
    the machine itself.
    """
    chosen = Chosen(url=url, token=token, ca=ca) if url else None
    CHOSEN.set(chosen)
    if chosen is not None:
        context.call_on_close(chosen.close)


def main() -> None:
    """Run the command line and turn refusals into one clear line and an exit code."""
    try:
        app()
    except errors.ApplianceError as error:
        print_error(error, as_json="--json" in sys.argv)
        sys.exit(next(code for kind, code in EXIT_CODES.items() if isinstance(error, kind)))
