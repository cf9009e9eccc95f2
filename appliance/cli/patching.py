"""Patch an instance or a host now; `appliance schedule` does it in windows."""

from typing import Annotated, Any

import typer

from appliance.cli.output import AsJson
from appliance.cli.requested import Detach, carry_out
from appliance.domain.host import subject_of
from appliance.errors import InvalidRequest
from appliance.operations.kinds.host_patch import What
from appliance.operations.schedules import kind_for

app = typer.Typer()

Instance = Annotated[str | None, typer.Argument(help="Name of the instance.", show_default=False)]
HostName = Annotated[str | None, typer.Option("--host", help="A host instead: its Debian packages.", show_default=False)]
Updates = Annotated[What | None, typer.Option("--what", help="Of a host: security updates only, or all of them.", show_default="security")]
Reboot = Annotated[
    bool | None, typer.Option("--reboot/--no-reboot", help="Of a host: whether it may be started anew if it has to be.", show_default="no")
]


def chosen(instance: str | None, host: str | None, what: What | None, reboot: bool | None) -> tuple[str, dict[str, Any]]:
    """The subject and the parameters of a patch. Raises InvalidRequest."""
    if (instance is None) == (host is None):
        raise InvalidRequest("Name an instance, or a host with --host. Nothing was changed.", field="subject")
    given = {"what": what.value if what else None, "reboot": reboot}
    return instance or subject_of(str(host)), {name: value for name, value in given.items() if value is not None}


@app.command()
def patch(
    name: Instance = None,
    host: HostName = None,
    what: Updates = None,
    reboot: Reboot = None,
    detach: Detach = False,
    as_json: AsJson = False,
) -> None:
    """Patch an instance to the newest release of its series, or a host's Debian packages. Nothing new is said in seconds.

    Example: appliance patch --host web1 --what all --reboot
    """
    subject, parameters = chosen(name, host, what, reboot)
    carry_out(kind_for(subject), subject, parameters, as_json=as_json, detach=detach)
