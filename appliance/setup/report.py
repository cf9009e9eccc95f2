"""What `appliance up` says at its end: where to go, who to be, and what was done."""

from appliance.errors import NotFound
from appliance.setup.ahead import INSTANCE
from appliance.setup.main_job import ADMINISTRATOR
from appliance.wiring import Appliance

ANY_ADDRESS = "0.0.0.0"  # noqa: S104 (it is recognised, not listened on)


def lines(appliance: Appliance, *, done: list[str], password: str | None) -> list[str]:
    """Return the closing lines; `password` is the one-time password if it was made now."""
    said = [""]
    said += ["Done: " + ", ".join(done) + "."] if done else ["Nothing to do: everything is installed and runs."]
    said.append(_line("Panel", panel_url(appliance)))
    if password is not None:
        said += [_line("Administrator", ADMINISTRATOR), _line("One-time password", f"{password}   (the panel asks for a new one)")]
    return said + crm_lines(appliance, has_been_installed=any("installed" in word for word in done))


def panel_url(appliance: Appliance) -> str:
    """Where the panel answers."""
    address, _, port = appliance.settings.panel_listen.rpartition(":")
    return f"http://{'localhost' if address == ANY_ADDRESS else address}:{port}/"


def crm_lines(appliance: Appliance, *, has_been_installed: bool) -> list[str]:
    """Where the default CRM answers, and its first password when it was made now."""
    instance = appliance.store.instances.find(INSTANCE)
    if instance is None:
        return []
    users = appliance.catalogue.get(instance.product).definition.users
    said = [_line(f"CRM {instance.name}", instance.url)]
    if has_been_installed:
        said.append(_line("Its first user", f"{users.admin}, password {_secret(appliance, instance.name, users.admin_secret)}"))
    points = appliance.store.points.list(instance.name)
    proven = sum(1 for point in points if point.proven_at)
    return [*said, _line("Recovery points", f"{len(points)}, of which {proven} proven by a restore")]


def serving_lines(appliance: Appliance) -> list[str]:
    """Where the panel and every CRM answer."""
    instances = [one for one in appliance.store.instances.list() if one.deployment is not None]
    return [_line("Panel", panel_url(appliance)), *(_line(f"CRM {one.name}", one.url) for one in instances)]


def _line(label: str, value: str) -> str:
    return f"  {label:19}{value}"


def _secret(appliance: Appliance, scope: str, name: str) -> str:
    try:
        return appliance.store.vault.get(scope, name)
    except NotFound:
        return "(in the panel)"
