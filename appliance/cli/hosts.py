"""The machines that CRMs run on; this one, so far."""

import platform
import tempfile
from pathlib import Path

import typer

from appliance.cli.opened import opened
from appliance.cli.output import AsJson, console, print_json, print_table
from appliance.hosts.playbooks import run_playbook
from appliance.operations.variables import host_variables

app = typer.Typer(help="The machines that CRMs run on.", no_args_is_help=True)


@app.command("list")
def list_hosts(as_json: AsJson = False) -> None:
    """List the hosts."""
    appliance = opened()
    count = len(appliance.store.instances.list())
    host = {"name": "localhost", "system": _system(), "service_manager": appliance.settings.manager, "instances": count}
    if as_json:
        print_json([host])
        return
    print_table(("NAME", "SYSTEM", "SERVICES BY", "INSTANCES"), [tuple(host.values())], empty="")


@app.command("prepare")
def prepare_host(as_json: AsJson = False) -> None:
    """Bring this host to what instances need; a second run changes nothing."""
    appliance = opened()
    with tempfile.TemporaryDirectory() as directory:
        recap = run_playbook(
            "host_prepare",
            {"host": host_variables(appliance.settings)},
            directory=Path(directory),
            ident="prepare",
            on_line=(lambda _: None) if as_json else (lambda line: console.print(line, markup=False)),
            is_cancelled=lambda: False,
        )
    print_json({"host": "localhost", "changed": recap.changed}) if as_json else console.print(
        f"localhost is prepared; {recap.changed} things were changed."
    )


def _system() -> str:
    return platform.freedesktop_os_release().get("PRETTY_NAME", platform.system())
