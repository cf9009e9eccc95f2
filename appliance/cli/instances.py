"""Install, upgrade and remove instances, and what is known of them."""

from typing import Annotated, Any
from urllib.parse import quote

import typer

from appliance.cli.certificates import CertificateFile, KeyFile, read_given
from appliance.cli.completing import complete_instance
from appliance.cli.opened import now, opened, who
from appliance.cli.output import AsJson, console, plain, print_json, print_table
from appliance.cli.remote import remote
from appliance.cli.requested import Detach, carry_out
from appliance.cli.typed_settings import read_pairs, read_settings, settings_of
from appliance.domain.adoption_told import adoption_told
from appliance.domain.host import LOCALHOST
from appliance.domain.objectives import Objectives, read_latency, read_length, read_share, written, written_latency, written_share
from appliance.domain.tls import TlsMode
from appliance.errors import InvalidRequest

app = typer.Typer()
instance_app = typer.Typer(help="The CRMs of this appliance.", no_args_is_help=True)

Name = Annotated[str, typer.Argument(help="Name of the instance.", show_default=False, autocompletion=complete_instance)]
Rehearsal = Annotated[bool, typer.Option(help="Try it first on a copy that is restored from the newest recovery point.")]
ADDRESS_FIELDS = ("address", "port", "domain")


@app.command()
def install(
    product: Annotated[str, typer.Argument(help="Id of a product; `appliance product list` names them.", show_default=False)],
    name: Annotated[str, typer.Option(help="Name of the new instance.", show_default=False)],
    release: Annotated[str | None, typer.Option(help="Release to install instead of the default one.")] = None,
    settings: Annotated[
        list[str] | None, typer.Option("--set", metavar="KEY=VALUE", help="A setting of the product, or address, port, domain.")
    ] = None,
    host: Annotated[str, typer.Option(help="Where to install it; `appliance host list` names the hosts.")] = LOCALHOST,
    tls: Annotated[
        TlsMode | None, typer.Option(help="Where its certificate comes from; none on the loopback address, else private-ca.")
    ] = None,
    hsts: Annotated[
        bool | None, typer.Option(help="Whether browsers are bound to HTTPS for two years; with own and acme they are.")
    ] = None,
    certificate: CertificateFile = None,
    key: KeyFile = None,
    detach: Detach = False,
    as_json: AsJson = False,
) -> None:
    """Install a CRM."""
    pairs = read_pairs(settings or [])
    place: dict[str, Any] = {key: pairs.pop(key) for key in ADDRESS_FIELDS if key in pairs}
    if "port" in place and place["port"].isdigit():
        place["port"] = int(place["port"])
    protection = {"tls": tls, "hsts": hsts, "certificate": read_given(certificate, "certificate"), "key": read_given(key, "key")}
    chosen = {"product": product, "release": release, "settings": read_settings(settings_of(product), pairs)}
    carry_out("install", name, {**chosen, "host": host, **place, **protection}, as_json=as_json, detach=detach)


@app.command()
def upgrade(
    name: Name,
    to: Annotated[str, typer.Option(help="Release to go to.", show_default=False)],
    rehearsal: Rehearsal = True,
    detach: Detach = False,
    as_json: AsJson = False,
) -> None:
    """Go to a newer release, rehearsed on a copy before; on any failure the untouched original serves again."""
    carry_out("upgrade", name, {"to": to, "rehearsal": rehearsal}, as_json=as_json, detach=detach)


@app.command()
def rehearse(
    name: Name,
    to: Annotated[str, typer.Option(help="Release to go to.", show_default=False)],
    detach: Detach = False,
    as_json: AsJson = False,
) -> None:
    """Try an upgrade on a copy that is restored from the newest recovery point, and forecast the downtime; production is untouched."""
    carry_out("rehearse", name, {"to": to}, as_json=as_json, detach=detach)


@app.command()
def rollback(name: Name, detach: Detach = False, as_json: AsJson = False) -> None:
    """Go back, code and data, to what served before the last upgrade or restore; what serves now is backed up and kept."""
    carry_out("rollback", name, {}, as_json=as_json, detach=detach)


@instance_app.command("list")
def list_instances(as_json: AsJson = False) -> None:
    """List the instances."""
    panel = remote()
    instances: list[Any] = opened().store.instances.list() if panel is None else panel.rows("/instances")
    if as_json:
        print_json(instances)
        return
    shown = [{**plain(one), "url": one.url} for one in instances] if panel is None else instances
    rows = [[one[name] for name in ("name", "product", "release", "state", "url")] for one in shown]
    print_table(("NAME", "PRODUCT", "RELEASE", "STATE", "ADDRESS"), rows, empty="No CRM is installed yet. See: appliance install --help")


@instance_app.command("show")
def show_instance(name: Name, as_json: AsJson = False) -> None:
    """Show what is known of an instance."""
    if (panel := remote()) is not None:
        _show_remote(panel.get(f"/instances/{quote(name, safe='')}"), as_json=as_json)
        return
    instance = opened().store.instances.get(name)
    if as_json:
        print_json(instance)
        return
    for key, value in (
        ("name", instance.name),
        ("product", f"{instance.product} {instance.release}"),
        ("state", instance.state.value),
        ("address", instance.url),
        ("archive", "every change is kept" if instance.archive else f"no; begin with: appliance archive {name}"),
        ("way back", instance.previous.version if instance.previous else "none kept"),
        ("settings", ", ".join(f"{name}={value}" for name, value in instance.settings.items())),
    ):
        console.print(f"{key:>10}  {value}", markup=False)


def _show_remote(instance: dict[str, Any], *, as_json: bool) -> None:
    if as_json:
        print_json(instance)
        return
    settings = ", ".join(f"{name}={value}" for name, value in instance["settings"].items())
    told = {"product": f"{instance['product']} {instance['release']}", "address": instance["url"], "settings": settings}
    for key in ("name", "product", "state", "address", "settings"):
        console.print(f"{key:>10}  {told.get(key, instance.get(key))}", markup=False)


@instance_app.command("approval")
def ask_approval(name: Name, wanted: Annotated[bool, typer.Option("--on/--off", help="Whether a second person has to agree.")]) -> None:
    """Let patches, upgrades, rollbacks, changed settings, restores and the removal of an instance begin only when somebody else agrees."""
    opened().store.instances.ask_approval(name, wanted=wanted, by=who(), now=now())
    console.print(f"{name}: {'somebody else has to agree to what changes it' if wanted else 'nobody has to be asked'}.")


@instance_app.command("publish")
def publish(name: Name, wanted: Annotated[bool, typer.Option("--on/--off", help="Whether the status page shows it.")]) -> None:
    """Show an instance on the panel's page /status, which needs no log in: whether it works, uptime, outages, notices, what is planned."""
    opened().store.instances.publish(name, wanted=wanted, by=who(), now=now())
    console.print(
        f"{name}: {'the page /status shows it to whoever can reach the panel' if wanted else 'the page /status does not show it'}."
    )


@instance_app.command("adoption")
def adoption(
    name: Name,
    wanted: Annotated[bool | None, typer.Option("--on/--off", help="Whether it is measured; neither to see what was.")] = None,
    as_json: AsJson = False,
) -> None:
    """Show how much people work with an instance, by its own database, or switch that on or off. No person is named in it."""
    store = opened().store
    if wanted is not None:
        store.instances.measure_adoption(name, wanted=wanted, by=who(), now=now())
        console.print(f"{name}: {'how much people work with it is measured' if wanted else 'that is measured no longer'}.")
        return
    instance, found = store.instances.get(name), store.adoption.find(name)
    if as_json:
        print_json({"measured": instance.measures_adoption, "adoption": found})
        return
    rows = [] if found is None else adoption_told(found, now())
    print_table(("", ""), rows, empty="It is not known yet." if instance.measures_adoption else "It is not measured.")


@instance_app.command("objectives")
def promise(
    name: Name,
    rpo: Annotated[str | None, typer.Option(help="No more than the changes of so long may be lost, as 24h; empty for no promise.")] = None,
    rto: Annotated[str | None, typer.Option(help="Back in service after so long, as 30m; empty for no promise.")] = None,
    availability: Annotated[str | None, typer.Option(help="Serves so much of 30 days, in per cent, as 99.5; empty for that.")] = None,
    latency: Annotated[str | None, typer.Option(help="Answers probes within, as 800ms or 2s; empty for 2s.")] = None,
    latency_share: Annotated[str | None, typer.Option(help="So many of them, in per cent, as 95; empty for that.")] = None,
) -> None:
    """Say what is promised of an instance: for the worst day, and for all others. Alerts and the panel say when it is not kept."""
    store = opened().store
    known = store.instances.get(name).objectives
    wanted = Objectives(
        rpo=known.rpo if rpo is None else read_length(rpo, "rpo"),
        rto=known.rto if rto is None else read_length(rto, "rto"),
        availability=known.availability if availability is None else read_share(availability, "availability"),
        latency=known.latency if latency is None else read_latency(latency, "latency"),
        latency_share=known.latency_share if latency_share is None else read_share(latency_share, "latency_share"),
    )
    store.instances.promise(name, wanted, by=who(), now=now())
    told = {
        "lost at most": written(wanted.rpo),
        "back within": written(wanted.rto),
        "per cent served": written_share(wanted.availability),
        "answers within": written_latency(wanted.latency),
        "per cent of them": written_share(wanted.latency_share),
    }
    said = [f"{what} {text or 'not said'}" for what, text in told.items()]
    console.print(f"{name}: {', '.join(said)}.", markup=False)


@instance_app.command("tidy")
def tidy_instance(
    name: Name,
    start: Annotated[bool, typer.Option("--start", help="Also start the CRM behind a maintenance page.")] = False,
    unknown: Annotated[
        bool, typer.Option("--unknown", help="Also remove deployments that no known operation has made; visitors may have used them.")
    ] = False,
    detach: Detach = False,
    as_json: AsJson = False,
) -> None:
    """Clear what is left behind of an instance: a maintenance page, processes, deployments and copies that nothing refers to."""
    carry_out("tidy", name, {"start": start, "unknown": unknown}, as_json=as_json, detach=detach)


@instance_app.command("close")
def close_instance(
    name: Name,
    message: Annotated[str, typer.Option(help="What its users are told; the usual, if left out.")] = "",
    detach: Detach = False,
    as_json: AsJson = False,
) -> None:
    """Turn an instance's users away with a maintenance page until it is opened again; the CRM goes on behind it."""
    carry_out("maintenance", name, {"wanted": True, "message": message}, as_json=as_json, detach=detach)


@instance_app.command("open")
def open_instance(name: Name, detach: Detach = False, as_json: AsJson = False) -> None:
    """Let the users of a closed instance in, if the CRM is well."""
    carry_out("maintenance", name, {"wanted": False}, as_json=as_json, detach=detach)


@instance_app.command("remove")
def remove_instance(
    name: Name,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
    purge: Annotated[bool, typer.Option("--purge", help="Give up its recovery points too.")] = False,
    final_backup: Annotated[bool, typer.Option(help="Take a last recovery point before.")] = True,
    detach: Detach = False,
    as_json: AsJson = False,
) -> None:
    """Take an instance away; its recovery points stay unless --purge is given."""
    if not yes and typer.prompt(f"Type the name {name} to take it away") != name:
        raise InvalidRequest("The name was not repeated. Nothing was changed.", field="name")
    carry_out("remove", name, {"purge": purge, "final_backup": final_backup}, as_json=as_json, detach=detach)


@app.command("secret")
def show_secret(
    name: Name,
    secret: Annotated[str, typer.Argument(help="Name of the secret, such as admin_password.", show_default=False)],
    as_json: AsJson = False,
) -> None:
    """Print a secret of an instance, for example its administrator's first password; the audit remembers it."""
    store = opened().store
    value = store.vault.get(name, secret)
    store.access.audit(actor=who(), action="show secret", subject=name, detail={"secret": secret}, now=now())
    print_json({"instance": name, "secret": secret, "value": value}) if as_json else print(value)
