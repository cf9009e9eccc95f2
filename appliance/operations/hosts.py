"""What is asked of the list of hosts: a host is added, trusted anew or removed. Nothing is changed on the machines themselves."""

from datetime import datetime

from appliance.domain.host import Host, HostState, check_host, subject_of
from appliance.errors import Conflict, HostRefused, NotFound, PreflightFailed
from appliance.hosts.host_keys import fingerprint, scan
from appliance.hosts.log_in_keys import check_key, make_key, public_key
from appliance.hosts.reach import Ssh
from appliance.hosts.ssh_files import lay_down, take_away
from appliance.operations.kinds.host_prepare import see_host
from appliance.operations.machines import KEY_SECRET
from appliance.operations.stack.kept import forget_stack
from appliance.wiring import Appliance

OWN_KEY_SCOPE = "appliance"


def own_public_key(appliance: Appliance) -> str:
    """The line for `authorized_keys` of hosts that are added without a key of their own; the key is made when it is asked for first."""
    return public_key(_own_key(appliance))


def add_host(
    appliance: Appliance,
    *,
    name: str,
    address: str,
    port: int,
    user: str,
    host_key: str,
    private_key: str | None,
    requested_by: str,
    now: datetime,
) -> Host:
    """Log in to a machine that shows the confirmed key, see that sudo works there, and write it down.

    Raises InvalidRequest, Conflict for a taken name, HostUnreachable, and HostRefused when the machine does not let the appliance in
    or shows another key. Nothing is written then, and nothing is changed on the machine in any case.
    """
    check_host(name=name, address=address, port=port, user=user)
    key = check_key(private_key) if private_key is not None else _own_key(appliance)
    if any(known.name == name for known in appliance.store.hosts.list()):
        raise Conflict(f"A host named {name} is there already. Nothing was changed.")
    host = Host(name=name, address=address, port=port, user=user, host_key=host_key, state=HostState.ADDED, created_at=now)
    _log_in(appliance, host, key)
    appliance.store.vault.put(host.subject, KEY_SECRET, key)
    appliance.store.hosts.add(host)
    appliance.store.access.audit(
        actor=requested_by, action="host add", subject=host.subject, detail={"fingerprint": fingerprint(host_key)}, now=now
    )
    return host


def scan_host(name: str, address: str, port: int, user: str) -> str:
    """The key that a machine shows now. Raises InvalidRequest, HostUnreachable."""
    check_host(name=name, address=address, port=port, user=user)
    return scan(address, port)


def scan_again(appliance: Appliance, name: str) -> str:
    """The key that a host shows now. Raises NotFound, HostUnreachable, PreflightFailed for this machine, which is not reached over SSH."""
    host = _managed(appliance, name)
    return scan(host.address, host.port)


def require_fingerprint(name: str, host_key: str, wanted: str) -> None:
    """Raises HostRefused when a machine shows another key than the one that is expected of it."""
    if fingerprint(host_key) != wanted.strip():
        raise HostRefused(
            f"{name} shows the key {fingerprint(host_key)}, not {wanted.strip()}. Nothing was changed; "
            "compare with `ssh-keygen -lf /etc/ssh/ssh_host_ed25519_key.pub` on the machine itself."
        )


def trust_host(appliance: Appliance, name: str, host_key: str, *, requested_by: str, now: datetime) -> None:
    """Know a host by another key from now on. Raises NotFound, PreflightFailed for this machine."""
    host = _managed(appliance, name)
    appliance.store.hosts.trust(name, host_key)
    detail = {"fingerprint": fingerprint(host_key), "before": fingerprint(host.host_key or "")}
    appliance.store.access.audit(actor=requested_by, action="host trust", subject=host.subject, detail=detail, now=now)


def remove_host(appliance: Appliance, name: str, *, requested_by: str, now: datetime) -> None:
    """Forget a host; what was installed there stays. Raises NotFound, Conflict while it is used, PreflightFailed for this machine."""
    host = _managed(appliance, name)
    held = appliance.store.operations.unfinished(host.subject)
    if held is not None:
        raise Conflict(f"Operation {held.id} is at work on {name}. Nothing was changed.")
    appliance.store.hosts.remove(name)
    appliance.store.vault.forget(host.subject)
    forget_stack(appliance, name)
    take_away(appliance.settings.run, name)
    appliance.store.access.audit(actor=requested_by, action="host remove", subject=host.subject, detail={}, now=now)


def _managed(appliance: Appliance, name: str) -> Host:
    host = appliance.store.hosts.get(name)
    if host.is_local:
        raise PreflightFailed(("this machine runs the appliance itself and stays a host",))
    return host


def _log_in(appliance: Appliance, host: Host, key: str) -> None:
    reach = Ssh(name=host.name, user=host.user, configuration=lay_down(appliance.settings.run, host, key), channel="add")
    try:
        facts = see_host(reach)
    finally:
        reach.close()
        take_away(appliance.settings.run, host.name)
    if not facts["root"]:
        raise HostRefused(f"{host.user} does not become root on {host.name}. Nothing was changed.")


def _own_key(appliance: Appliance) -> str:
    vault = appliance.store.vault
    try:
        return vault.get(OWN_KEY_SCOPE, KEY_SECRET)
    except NotFound:
        vault.put(OWN_KEY_SCOPE, KEY_SECRET, make_key())
        return vault.get(OWN_KEY_SCOPE, KEY_SECRET)


def subject_of_host(appliance: Appliance, name: str) -> str:
    """What operations on a host are requested for. Raises NotFound."""
    appliance.store.hosts.get(name)
    return subject_of(name)
