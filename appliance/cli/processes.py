"""The long-running processes, and the look after them."""

from typing import Annotated

import typer
import uvicorn

from appliance.cli.opened import opened
from appliance.cli.output import AsJson, console, print_json, print_table
from appliance.config import load_settings
from appliance.operations.telling import publish_targets
from appliance.operations.workflows import WORKFLOWS
from appliance.worker import Worker

app = typer.Typer()


@app.command()
def up(
    empty: Annotated[bool, typer.Option("--empty", help="Start the appliance without a CRM.")] = False,
) -> None:
    """Start panel, worker and monitor, and do the main job: install the default CRM, back it up, prove the backup."""
    from appliance.setup.up import run

    raise typer.Exit(run(load_settings(), empty=empty))


@app.command()
def serve() -> None:
    """Run the panel in the foreground."""
    from appliance.web.app import create_app

    appliance = opened()
    host, _, port = appliance.settings.panel_listen.rpartition(":")
    uvicorn.run(
        create_app(appliance), host=host.strip("[]"), port=int(port), log_level="warning", server_header=False, timeout_graceful_shutdown=2
    )


@app.command()
def worker() -> None:
    """Run the worker in the foreground: it carries operations out."""
    Worker(appliance=opened(), workflows=WORKFLOWS).run()


@app.command()
def monitor() -> None:
    """Run the monitor in the foreground: it probes the CRMs and serves /metrics."""
    from monitoring.serve import serve as watch

    appliance = opened()
    publish_targets(appliance)
    settings = appliance.settings
    host, _, port = settings.monitor_listen.rpartition(":")
    raise typer.Exit(watch(targets=settings.targets_file, ledger=settings.ledger_file, listen=(host.strip("[]"), int(port))))


@app.command()
def doctor(as_json: AsJson = False) -> None:
    """Look at the machine and the appliance; each finding with its mend."""
    from appliance.doctor import examine

    findings = examine(opened())
    if as_json:
        print_json(findings)
    else:
        rows = [("ok" if finding.ok else "MEND", finding.subject, finding.text) for finding in findings]
        print_table(("", "WHAT", ""), rows, empty="")
        console.print("All is well." if all(finding.ok for finding in findings) else "See the lines marked MEND.")
    raise typer.Exit(0 if all(finding.ok for finding in findings) else 1)
