"""The command line: does what the panel does, and says how it ended by its exit code."""

import sys

import typer

from appliance import errors
from appliance.cli import (
    access,
    alerts,
    backups,
    certificates,
    files,
    hosts,
    instances,
    machine,
    notices,
    operations,
    patching,
    pending,
    processes,
    products,
    repositories,
    schedules,
    tables,
)
from appliance.cli.output import print_error

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
    help="Install, back up, prove, upgrade and watch a CRM on your own machine.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)
for room in (processes, instances, backups, files, tables, machine, pending, patching):
    app.registered_commands += room.app.registered_commands
app.registered_commands += repositories.kit_app.registered_commands
app.add_typer(instances.instance_app, name="instance")
app.add_typer(products.app, name="product")
app.add_typer(hosts.app, name="host")
app.add_typer(operations.app, name="operation")
app.add_typer(repositories.app, name="repository")
app.add_typer(alerts.app, name="alert")
app.add_typer(alerts.notification_app, name="notification")
app.add_typer(schedules.app, name="schedule")
app.add_typer(notices.app, name="notice")
app.add_typer(certificates.app, name="certificate")
app.add_typer(certificates.ca_app, name="ca")
app.add_typer(machine.panel_app, name="panel")
app.add_typer(access.app, name="token")


def main() -> None:
    """Run the command line and turn refusals into one clear line and an exit code."""
    try:
        app()
    except errors.ApplianceError as error:
        print_error(error, as_json="--json" in sys.argv)
        sys.exit(next(code for kind, code in EXIT_CODES.items() if isinstance(error, kind)))
