"""The machines that CRMs run on."""

from pathlib import Path
from typing import Annotated

import typer

from appliance.cli.opened import now, opened, who
from appliance.cli.output import AsJson, console, moment, print_json, print_table
from appliance.cli.requested import Detach, carry_out
from appliance.domain.host import Host
from appliance.errors import InvalidRequest
from appliance.hosts.host_keys import fingerprint
from appliance.operations.hosts import (
    add_host,
    own_public_key,
    remove_host,
    require_fingerprint,
    scan_host,
    subject_of_host,
    trust_host,
)

app = typer.Typer(help="The machines that CRMs run on.", no_args_is_help=True)

Name = Annotated[str, typer.Argument(help="Name of the host.", show_default=False)]


@app.command("add")
def add(
    name: Name,
    address: Annotated[str, typer.Option(help="Host name or IP address.", show_default=False)],
    port: Annotated[int, typer.Option(help="Port of its SSH server.")] = 22,
    user: Annotated[str, typer.Option(help="User to log in as; unless it is root, it needs sudo without a password.")] = "root",
    key: Annotated[
        Path | None, typer.Option(help="File with the private key; otherwise the appliance's own (`appliance host key`).")
    ] = None,
    expected: Annotated[
        str | None, typer.Option("--fingerprint", help="Fingerprint that is expected (SHA256:…), instead of a question.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Add a machine that is reached over SSH; its key is kept once it is confirmed."""
    private_key = None if key is None else _read(key)  # before the appliance is opened, by its own user where it has one
    appliance = opened()
    host_key = scan_host(name, address, port, user)
    _confirm(name, host_key, expected, as_json=as_json)
    host = add_host(
        appliance,
        name=name,
        address=address,
        port=port,
        user=user,
        host_key=host_key,
        private_key=private_key,
        requested_by=who(),
        now=now(),
    )
    print_json(_shown(host)) if as_json else console.print(f"{name} was added. Prepare it: appliance host prepare {name}")


@app.command("key")
def show_key() -> None:
    """Print the appliance's own public key, for `authorized_keys` of the machines to add."""
    print(own_public_key(opened()))


@app.command("trust")
def trust(
    name: Name,
    expected: Annotated[
        str | None, typer.Option("--fingerprint", help="Fingerprint that is expected (SHA256:…), instead of a question.")
    ] = None,
) -> None:
    """Know a host by the key that it shows now, after it was set up anew."""
    appliance = opened()
    host = appliance.store.hosts.get(name)
    host_key = scan_host(name, host.address, host.port, host.user)
    _confirm(name, host_key, expected, as_json=False)
    trust_host(appliance, name, host_key, requested_by=who(), now=now())
    console.print(f"{name} is known by {fingerprint(host_key)} from now on.")


@app.command("list")
def list_hosts(as_json: AsJson = False) -> None:
    """List the hosts."""
    appliance = opened()
    hosts = appliance.store.hosts.list()
    if as_json:
        print_json([_shown(host) for host in hosts])
        return
    counts = {host.name: sum(instance.host == host.name for instance in appliance.store.instances.list()) for host in hosts}
    rows = [(host.name, host.address, host.state.value, str(host.facts.get("system", "not seen yet")), counts[host.name]) for host in hosts]
    print_table(("NAME", "ADDRESS", "STATE", "SYSTEM", "INSTANCES"), rows, empty="")


@app.command("show")
def show(name: Name, as_json: AsJson = False) -> None:
    """Show what is known of a host."""
    host = opened().store.hosts.get(name)
    if as_json:
        print_json(_shown(host))
        return
    seen = moment(host.seen_at) if host.seen_at else "never"
    shown = {"address": f"{host.user}@{host.address} port {host.port}", "state": host.state.value, "key": _fingerprint(host), "seen": seen}
    if not host.is_local:
        shown["policy"] = str(host.policy)
    print_table(("", host.name), [(title, str(value)) for title, value in {**shown, **host.facts}.items()], empty="")


@app.command("prepare")
def prepare(
    name: Annotated[str, typer.Argument(help="Name of the host.")] = "localhost",
    firewall: Annotated[
        bool | None, typer.Option("--firewall/--no-firewall", help="Let in SSH and visitors only; off until you say so.")
    ] = None,
    time_sync: Annotated[
        bool | None, typer.Option("--time-sync/--no-time-sync", help="Set the clock from the network; on unless you say so.")
    ] = None,
    security_updates: Annotated[
        bool | None,
        typer.Option("--security-updates/--no-security-updates", help="Install security updates every day; on unless you say so."),
    ] = None,
    detach: Detach = False,
    as_json: AsJson = False,
) -> None:
    """Bring a host to what instances need; a second run changes nothing, and keeps what was chosen before."""
    subject = subject_of_host(opened(), name)
    chosen = {"firewall": firewall, "time_sync": time_sync, "security_updates": security_updates}
    parameters = {name: value for name, value in chosen.items() if value is not None}
    carry_out("host-prepare", subject, parameters, as_json=as_json, detach=detach)


@app.command("remove")
def remove(name: Name) -> None:
    """Forget a host that no instance is on; what was installed there stays."""
    remove_host(opened(), name, requested_by=who(), now=now())
    console.print(f"{name} was forgotten. What was installed there stays.")


def _confirm(name: str, host_key: str, expected: str | None, *, as_json: bool) -> None:
    if expected is not None:
        require_fingerprint(name, host_key, expected)
        return
    if as_json:
        raise InvalidRequest("Nobody can be asked with --json; give --fingerprint. Nothing was changed.", field="fingerprint")
    console.print(f"{name} shows the key {fingerprint(host_key)} ({host_key.split(maxsplit=1)[0]}).", markup=False)
    console.print("Compare it there: ssh-keygen -lf /etc/ssh/ssh_host_ed25519_key.pub", markup=False)
    typer.confirm("Is it the same?", abort=True)


def _read(file: Path) -> str:
    try:
        return file.expanduser().read_text()
    except (OSError, UnicodeDecodeError):
        raise InvalidRequest(f"{file} cannot be read. Nothing was changed.", field="key") from None


def _shown(host: Host) -> dict[str, object]:
    return {**vars(host), "host_key": _fingerprint(host)}


def _fingerprint(host: Host) -> str | None:
    return None if host.host_key is None else fingerprint(host.host_key)
