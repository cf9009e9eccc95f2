"""The long-running processes, and the look after them."""

import contextlib
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any

import typer

from appliance.cli.collecting import collect_seldom
from appliance.cli.opened import now, opened, settings_here, who
from appliance.cli.output import AsJson, console, print_json, print_table
from appliance.config import Settings
from appliance.errors import InvalidRequest
from appliance.operations.telling import publish_targets
from appliance.operations.workflows import WORKFLOWS
from appliance.worker import Worker

HANDED_OVER = 3
"""The first descriptor that systemd hands over: sd_listen_fds(3)."""
NOT_STARTED = 3
"""How it ends when it cannot listen, as uvicorn's own command does."""

app = typer.Typer()


@app.command()
def up(
    empty: Annotated[bool, typer.Option("--empty", help="Start the appliance without a CRM.")] = False,
    production: Annotated[bool, typer.Option("--production", help="As a user of its own, behind TLS; CRMs are on hosts.")] = False,
    domain: Annotated[str | None, typer.Option(help="In production: the name that people type to reach the panel.")] = None,
    recover: Annotated[
        Path | None, typer.Option(metavar="KIT", help="Bring back the appliance and the CRMs that a recovery kit leads to.")
    ] = None,
) -> None:
    """Start panel, worker and monitor, and do the main job: install the default CRM, back it up, prove the backup."""
    settings = settings_here()
    if production or settings.production:
        from appliance.production.up import run as run_in_production

        raise typer.Exit(run_in_production(domain=domain))
    if recover is not None:
        from appliance.setup.recover import run as run_recovery

        raise typer.Exit(run_recovery(settings, recover))
    from appliance.setup.up import run

    raise typer.Exit(run(settings, empty=empty))


@app.command()
def serve() -> None:
    """Run the panel in the foreground."""
    import uvicorn

    from appliance.production.last_upgrade import last_upgrade
    from appliance.production.places import Places
    from appliance.web.app import create_app

    appliance = opened(keeps_connections=True)
    app = create_app(appliance, is_closing=lambda: server.should_exit, last_upgrade=lambda: last_upgrade(Places()))
    collect_seldom()
    place = listening(appliance.settings, os.environ)
    server = uvicorn.Server(uvicorn.Config(app, **place, log_level="warning", server_header=False, timeout_graceful_shutdown=2))
    with contextlib.suppress(KeyboardInterrupt):
        server.run()
    if not server.started:
        raise typer.Exit(NOT_STARTED)


def listening(settings: Settings, environment: Mapping[str, str]) -> dict[str, Any]:
    """Where the panel listens. On a socket that systemd hands over only the web server comes, so what it says of visitors is believed."""
    if environment.get("LISTEN_PID") == str(os.getpid()) and environment.get("LISTEN_FDS") == "1":
        return {"fd": HANDED_OVER, "forwarded_allow_ips": "*"}
    host, _, port = settings.panel_listen.rpartition(":")
    return {"host": host.strip("[]"), "port": int(port)}


@app.command()
def worker() -> None:
    """Run the worker in the foreground: it carries operations out."""
    Worker(appliance=opened(), workflows=WORKFLOWS).run()


@app.command()
def monitor() -> None:
    """Run the monitor in the foreground: it probes the CRMs, serves /metrics, evaluates the alert rules and notifies."""
    from appliance.operations.adopting import Adopting
    from appliance.operations.asking import Asking
    from appliance.operations.delivering import Delivering
    from appliance.operations.notifying import Notifying
    from appliance.operations.scraping import Certified, metrics_address, metrics_admission
    from appliance.operations.seeing import Seeing
    from monitoring.exporter.server import MetricsDoor
    from monitoring.serve import serve as watch

    appliance = opened()
    publish_targets(appliance)
    settings = appliance.settings
    host, _, port = settings.monitor_listen.rpartition(":")
    notifying = Notifying(appliance=appliance)
    seeing, delivering = Seeing(appliance=appliance), Delivering(appliance=appliance)
    beside, door = [notifying.run, Asking(appliance=appliance).run, Adopting(appliance=appliance).run, seeing.run, delivering.run], None
    if (outside := metrics_address(appliance)) is not None:
        certified = Certified(appliance=appliance, host=outside[0])
        certified.renew()
        door = MetricsDoor(address=outside, context=certified.context, admission=metrics_admission(appliance))
        beside.append(certified.run)
    code = watch(
        targets=settings.targets_file,
        ledger=settings.ledger_file,
        listen=(host.strip("[]"), int(port)),
        door=door,
        rules_every_seconds=settings.alert_rules_every_seconds,
        beside=beside,
    )
    raise typer.Exit(code)


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


@app.command("support-bundle")
def support_bundle(
    file: Annotated[Path, typer.Argument(help="Where to write it (.tar.gz); only you can read it.", show_default=False)],
) -> None:
    """Write what somebody who helps has to know into one archive: no record of a CRM, no password, key or token is in it."""
    from appliance.doctor import examine
    from appliance.operations.supporting import support_bundle as made

    appliance, moment = opened(), now()
    content = made(appliance, examine(appliance), moment)
    try:
        with os.fdopen(os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as stream:
            stream.write(content)
    except OSError as error:
        raise InvalidRequest(f"{file} cannot be made: {error.strerror}. Nothing was changed.", field="file") from None
    appliance.store.access.audit(actor=who(), action="support bundle", subject="appliance", detail={}, now=moment)
    console.print(f"{file} holds names and addresses, and no secret. Read it before you give it away.", markup=False)
