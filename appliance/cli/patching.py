"""Patch an instance, a host or the fleet now; `appliance schedule` does it in windows."""

from typing import Annotated

import typer

from appliance.cli.output import AsJson
from appliance.cli.requested import Detach, carry_out, said
from appliance.domain.host import FLEET, patch_kind, subject_of
from appliance.errors import InvalidRequest
from appliance.operations.kinds.host_patch import What

app = typer.Typer()

Instance = Annotated[str | None, typer.Argument(help="Name of the instance.", show_default=False)]
HostName = Annotated[str | None, typer.Option("--host", help="A host instead: its Debian packages.", show_default=False)]
Updates = Annotated[What | None, typer.Option("--what", help="Of a host: security updates only, or all of them.", show_default="security")]
Reboot = Annotated[
    bool | None, typer.Option("--reboot/--no-reboot", help="Of a host: whether it may be started anew if it has to be.", show_default="no")
]
Fleet = Annotated[bool, typer.Option("--fleet", help="All hosts and instances instead, one after the other.")]
Canaries = Annotated[
    list[str] | None,
    typer.Option(
        "--canary", help="Of the fleet: who is patched first, and alone if that fails. An instance, or host:NAME.", show_default=False
    ),
]
StopAfter = Annotated[
    int | None, typer.Option(help="Of the fleet: after so many others that do not succeed it stops, 1 to 20.", show_default="1")
]


def chosen(instance: str | None, host: str | None, fleet: bool) -> str:
    """The subject of a patch. Raises InvalidRequest unless it is one."""
    if [instance is not None, host is not None, fleet].count(True) != 1:
        raise InvalidRequest("Name an instance, or a host with --host, or say --fleet. Nothing was changed.", field="subject")
    return FLEET if fleet else instance or subject_of(str(host))


@app.command()
def patch(
    name: Instance = None,
    host: HostName = None,
    fleet: Fleet = False,
    canary: Canaries = None,
    what: Updates = None,
    reboot: Reboot = None,
    stop_after: StopAfter = None,
    detach: Detach = False,
    as_json: AsJson = False,
) -> None:
    """Patch an instance to the newest release of its series, a host's Debian packages, or all of them. Nothing new is said in seconds."""
    subject = chosen(name, host, fleet)
    parameters = said(what=what, reboot=reboot, canaries=canary, stop_after=stop_after)
    carry_out(patch_kind(subject), subject, parameters, as_json=as_json, detach=detach)
