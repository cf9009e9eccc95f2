"""The certificates that CRMs show, and the authority that the appliance keeps."""

from pathlib import Path
from typing import Annotated

import typer

from appliance.certificates import Pair
from appliance.cli.opened import now, opened, who
from appliance.cli.output import AsJson, console, print_json, print_table
from appliance.cli.requested import Detach, carry_out
from appliance.errors import InvalidRequest
from appliance.operations.certifying import authority

app = typer.Typer(help="The certificates that CRMs show.", no_args_is_help=True)
ca_app = typer.Typer(help="The certificate authority that the appliance keeps.", no_args_is_help=True)

Name = Annotated[str, typer.Argument(help="Name of the instance.", show_default=False)]
CertificateFile = Annotated[Path | None, typer.Option("--certificate", help="File with the certificate and its chain (PEM).")]
KeyFile = Annotated[Path | None, typer.Option("--key", help="File with the private key (PEM); it goes to the vault, encrypted.")]


def read_given(file: Path | None, field: str) -> str | None:
    """The text of a file that was named on the command line. Raises InvalidRequest."""
    try:
        return None if file is None else file.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        why = error.strerror if isinstance(error, OSError) else "it is not text; turn it into PEM form"
        raise InvalidRequest(f"{file} cannot be read: {why}. Nothing was changed.", field=field) from None


@app.command("list")
def list_certificates(as_json: AsJson = False) -> None:
    """List the CRMs with where their certificates come from and until when they are valid."""
    instances = opened().store.instances.list()
    if as_json:
        print_json([{"instance": one.name, "domain": one.domain, "tls": one.tls.mode, "not_after": one.tls.not_after} for one in instances])
        return
    rows = [(one.name, one.domain, one.tls.mode.value, f"{one.tls.not_after:%Y-%m-%d}" if one.tls.not_after else "-") for one in instances]
    print_table(("CRM", "NAME", "FROM", "VALID UNTIL"), rows, empty="No CRM is installed yet.")


@app.command()
def renew(name: Name, detach: Detach = False, as_json: AsJson = False) -> None:
    """Have the certificate issued again; the appliance does so by itself in time."""
    carry_out("certificate", name, {"action": "renew"}, as_json=as_json, detach=detach)


@app.command()
def replace(name: Name, certificate: CertificateFile = None, key: KeyFile = None, detach: Detach = False, as_json: AsJson = False) -> None:
    """Show a certificate of your own from now on; it is examined before anything is changed."""
    given = {"certificate": read_given(certificate, "certificate"), "key": read_given(key, "key")}
    carry_out("certificate", name, {"action": "replace", **given}, as_json=as_json, detach=detach)


@ca_app.command("show")
def show_authority(
    out: Annotated[Path | None, typer.Option(help="Write it to this file instead.")] = None, as_json: AsJson = False
) -> None:
    """Print the authority's certificate (PEM), for the browsers and machines that are to trust it."""
    given = None if out is None else out.open("w", encoding="utf-8")  # in the caller's name, before the appliance is opened
    appliance = opened()
    pair: Pair = authority(appliance, now())
    appliance.store.access.audit(actor=who(), action="show authority", subject="ca", detail={"certificate": pair.id}, now=now())
    if given is not None:
        with given:
            given.write(pair.certificate)
        console.print(f"{out} holds the certificate of the appliance's authority, valid until {pair.not_after:%Y-%m-%d}.")
    elif as_json:
        print_json({"certificate": pair.certificate, "not_after": pair.not_after, "id": pair.id})
    else:
        print(pair.certificate, end="")
