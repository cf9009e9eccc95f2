"""Prometheus, Alertmanager and exporters on a host."""

from typing import Annotated

import typer

from appliance.cli.hosts import Name
from appliance.cli.opened import opened
from appliance.cli.output import AsJson
from appliance.cli.requested import Detach, carry_out, said
from appliance.operations.hosts import subject_of_host

app = typer.Typer(help="Prometheus, Alertmanager and exporters of Debian on a host.", no_args_is_help=True)


@app.command("install")
def install(
    name: Name,
    dead_man: Annotated[
        str | None,
        typer.Option(help='Heartbeat channel that is told all the time that alerts get through; "" for none.', show_default="as before"),
    ] = None,
    detach: Detach = False,
    as_json: AsJson = False,
) -> None:
    """Install them, or bring them to the CRMs, hosts and channels that there are now; a second run changes nothing."""
    parameters = {} if dead_man is None else {"dead_man": dead_man}
    carry_out("monitoring-stack", subject_of_host(opened(), name), parameters, as_json=as_json, detach=detach)


@app.command("remove")
def remove(
    name: Name,
    purge: Annotated[bool, typer.Option("--purge", help="What was measured goes, too.")] = False,
    detach: Detach = False,
    as_json: AsJson = False,
) -> None:
    """Remove them with what configured them; what was measured stays in /var/lib/crm-monitoring."""
    parameters = {"wanted": False, **said(purge=purge or None)}
    carry_out("monitoring-stack", subject_of_host(opened(), name), parameters, as_json=as_json, detach=detach)
