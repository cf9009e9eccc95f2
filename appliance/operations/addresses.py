"""Where a CRM answers: which address, name and port, and whether they can be had."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from appliance.domain.instance import Instance
from appliance.domain.names import USUAL_PORTS, as_address, check_domain
from appliance.domain.tls import TlsMode, default_hsts, default_mode
from appliance.errors import InvalidRequest
from appliance.hosts.layout import layout_of
from appliance.hosts.reach import PYTHON, ask
from appliance.operations.machines import Machine
from appliance.operations.preflight import Check, port_is_free
from appliance.wiring import Appliance

HTTPS_PORT, HTTP_PORT = USUAL_PORTS["https"], USUAL_PORTS["http"]
LISTENERS = """
import glob, os, sys
inodes = set()
for table in ("/proc/net/tcp", "/proc/net/tcp6"):
    for line in open(table).readlines()[1:] if os.path.exists(table) else []:
        fields = line.split()
        if fields[3] == "0A" and int(fields[1].rpartition(":")[2], 16) == int(sys.argv[1]):
            inodes.add("socket:[" + fields[9] + "]")
names = set()
for place in glob.glob("/proc/[0-9]*/fd/*"):
    try:
        if os.readlink(place) in inodes:
            names.add(open("/proc/" + place.split("/")[2] + "/comm").read().strip())
    except OSError:
        pass
print(" ".join(sorted(names)))
"""


@dataclass(frozen=True, kw_only=True)
class Site:
    """What visitors come to; without a port it is chosen when the instance is made."""

    address: str
    domain: str
    mode: TlsMode
    hsts: bool
    port: int | None = None

    @property
    def is_on(self) -> bool:
        """Whether it is encrypted."""
        return self.mode is not TlsMode.NONE


def choose_site(appliance: Appliance, host: str, wanted: Mapping[str, Any]) -> Site:
    """What is wanted, completed. Raises InvalidRequest for what does not go together, NotFound for an unknown host."""
    machine = appliance.store.hosts.get(host)
    address = wanted.get("address") or layout_of(appliance.settings, machine).crm_address
    mode = TlsMode(wanted["tls"]) if wanted.get("tls") else default_mode(address)
    domain = check_domain(wanted.get("domain") or _default_domain(address, machine.address, wanted.get("known_domain")))
    hsts = wanted["hsts"] if wanted.get("hsts") is not None else default_hsts(mode, address)
    site = Site(address=address, domain=domain, mode=mode, hsts=hsts, port=wanted.get("port"))
    _check(site)
    return site


def preferred_port(site: Site, base: int) -> int:
    """Where people expect it; one of its own beside others where nobody but this machine comes."""
    if site.port is not None:
        return site.port
    at_home = (found := as_address(site.address)) is not None and found.is_loopback
    return HTTPS_PORT if site.is_on and not at_home else base


def place_is_free(appliance: Appliance, machine: Machine, site: Site, port: int) -> Check:
    """The address can be had: nobody listens there, or nginx does for CRMs with other names."""

    def check() -> str | None:
        neighbours = _neighbours(appliance, machine, site)
        for wanted in _ports(site, port):
            if problem := _taken_by_name(neighbours, site, wanted) or _taken(machine, neighbours, site, wanted):
                return problem
        return None

    return check


def is_taken_by_name(appliance: Appliance, machine: Machine, site: Site, port: int) -> bool:
    """Whether another CRM on the host has this name at this port already."""
    neighbours = _neighbours(appliance, machine, site)
    return any(_taken_by_name(neighbours, site, wanted) for wanted in _ports(site, port))


def _default_domain(address: str, host_address: str, known: str | None) -> str:
    """The name it had where it is brought back, else the address itself where there is one to type, else the host's."""
    found = as_address(address)
    if known and default_mode(address) is not TlsMode.NONE:
        return known
    return address if found is not None and not found.is_unspecified else host_address


def _check(site: Site) -> None:
    name, address = as_address(site.domain), as_address(site.address)
    if site.is_on and address is not None and address.is_unspecified and name is not None and (name.is_loopback or name.is_unspecified):
        _refuse("With TLS the CRM needs the name or address that people will type: --set domain=crm.example.org", "domain")
    if site.mode is TlsMode.ACME and (name is not None or "." not in site.domain):
        _refuse(f"An authority asked by ACME signs for full names only, as crm.example.org, not for {site.domain}", "domain")
    if site.hsts and not site.is_on:
        _refuse("Strict transport security needs TLS", "hsts")
    if site.is_on and site.port == HTTP_PORT:
        _refuse("Port 80 is where browsers speak plain HTTP; leave the port out, or choose another", "port")


def _refuse(problem: str, field: str) -> None:
    raise InvalidRequest(f"{problem}. Nothing was changed.", field=field)


def _ports(site: Site, port: int) -> list[int]:
    """The CRM's own, and the one that plain HTTP is sent on from or a name is proven at."""
    plain = site.is_on and (port == HTTPS_PORT or site.mode is TlsMode.ACME)
    return [port, HTTP_PORT] if plain else [port]


def _ports_of(instance: Instance) -> list[int]:
    site = Site(address=instance.address, domain=instance.domain, mode=instance.tls.mode, hsts=False)
    return _ports(site, instance.port)


def _neighbours(appliance: Appliance, machine: Machine, site: Site) -> list[Instance]:
    """The CRMs of the host that visitors of the site's address could come to."""
    there = [each for each in appliance.store.instances.list() if each.host == machine.host.name and not each.is_lost]
    return [each for each in there if _overlap(each, site)]


def _overlap(instance: Instance, site: Site) -> bool:
    """Whether what listens for one address would take what comes for the other."""
    one, other = as_address(instance.address), as_address(site.address)
    return one is None or other is None or one == other or one.is_unspecified or other.is_unspecified


def _taken_by_name(neighbours: list[Instance], site: Site, port: int) -> str | None:
    here = [each for each in neighbours if port in _ports_of(each)]
    if same := next((each for each in here if each.domain == site.domain), None):
        return f"{same.name} answers as {site.domain} on port {port} already; choose another domain or port"
    if as_address(site.domain) and (nameless := next((each for each in here if as_address(each.domain)), None)):
        return f"{nameless.name} is what visitors of port {port} get who give no name; choose a domain or another port"
    return None


def _taken(machine: Machine, neighbours: list[Instance], site: Site, port: int) -> str | None:
    """Ports are shared by names; a CRM without TLS has its port to itself, as those before it."""
    here = [each for each in neighbours if port in _ports_of(each)]
    if plain := next((each for each in here if each.port == port and not (each.tls.is_on and site.is_on)), None):
        return f"{site.address}:{port} belongs to {plain.name}; choose another with --set port=…"
    if here:
        return None
    problem = port_is_free(machine.reach, site.address, port)()
    if problem is None or not site.is_on:
        return problem
    listeners = ask(machine.reach, [PYTHON, "-c", LISTENERS, str(port)]).stdout.split()
    if listeners == ["nginx"]:
        return None  # a site of somebody else's: nginx tells names apart, and says so when it cannot
    return problem.replace("cannot be used", f"is used by {', '.join(listeners)} and cannot be used") if listeners else problem
