"""The appliance as a service of its machine (`bin/up --production`): its certificate, its upgrade, its backup. For root."""

import os
from datetime import UTC, datetime
from typing import Annotated

import typer

from appliance.cli.certificates import CertificateFile, KeyFile, read_given
from appliance.cli.output import AsJson, console, print_json
from appliance.config import Settings, load_settings
from appliance.errors import ConfigurationError, InvalidRequest

app = typer.Typer()
panel_app = typer.Typer(help="The panel itself, in production.", no_args_is_help=True)


def settings_of_production() -> Settings:
    """The settings, for root on a machine of production. Raises ConfigurationError, InvalidRequest."""
    settings = load_settings()
    if not settings.production:
        raise ConfigurationError("This machine was not set up with bin/up --production. Nothing was changed.")
    if os.geteuid() != 0:
        raise InvalidRequest("This is for root alone. Nothing was changed; run it with sudo.")
    return settings


@panel_app.command("certificate")
def certificate(
    certificate: CertificateFile = None,
    key: KeyFile = None,
    own_authority: Annotated[bool, typer.Option("--private-ca", help="Go back to a certificate by the appliance's authority.")] = False,
    as_json: AsJson = False,
) -> None:
    """Show a certificate of your own, or have the appliance's renewed if it is due; a timer asks for that daily."""
    from appliance.production.showing import show

    settings = settings_of_production()
    if (certificate is None) != (key is None):
        raise InvalidRequest("A certificate and its key are given together. Nothing was changed.", field="key")
    given = (read_given(certificate, "certificate") or "", read_given(key, "key") or "") if certificate else None
    changed = show(settings, given, give_up_own=own_authority, now=datetime.now(UTC))
    said = "shows another certificate from now on" if changed else "shows a certificate that is not due"
    print_json({"changed": changed}) if as_json else console.print(f"https://{settings.panel_domain}/ {said}.", markup=False)
