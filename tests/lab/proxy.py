"""The only way out of a host: a package proxy on the bridge, which keeps Debian's packages for the next host."""

import contextlib
import socket
from pathlib import Path

from tests.lab import places, surroundings
from tests.lab.cgroups import Group
from tests.lab.programs import run
from tests.lab.waiting import wait_until

URL = f"http://{places.BRIDGE_ADDRESS}:{places.PROXY_PORT}"
GROUP = Group(name="proxy")
SERVE = 'exec >"$0/output" 2>&1 </dev/null; echo $$ >"$1"; exec apt-cacher-ng -c "$0"'


def start() -> None:
    """Start it, unless it answers; the bridge must be there."""
    if answers():
        return
    GROUP.kill()
    (joined,) = GROUP.make()
    configuration = _write_configuration()
    # No child of this process: it may outlive it, for the hosts of another run.
    run("setsid", "--fork", "sh", "-euc", SERVE, str(configuration), str(joined))
    wait_until(answers, f"the package proxy to answer; {configuration}/output says why")


def stop() -> None:
    """End it."""
    GROUP.remove()


def answers() -> bool:
    """Whether it takes connections."""
    with contextlib.suppress(OSError), socket.create_connection((places.BRIDGE_ADDRESS, places.PROXY_PORT), timeout=1):
        return True
    return False


def _write_configuration() -> Path:
    directory = places.STATE / "proxy"
    keep = places.cache() / "packages"
    for folder in (directory, keep / "cache", keep / "log"):
        folder.mkdir(parents=True, exist_ok=True)
    secure = "|".join(host.replace(".", r"\.") for host in surroundings.secure_hosts())
    above = surroundings.proxy_above()
    # Written whole: Debian's own configuration maps mirrors to lists of others, which cannot be reached from everywhere.
    settings = {
        "CacheDir": keep / "cache",
        "LogDir": keep / "log",
        "SupportDir": "/usr/lib/apt-cacher-ng",
        "SocketPath": directory / "socket",
        "PidFile": directory / "pid",
        "Port": places.PROXY_PORT,
        "BindAddress": places.BRIDGE_ADDRESS,
        "ForeGround": 1,
        "ReportPage": "",
        "PassThroughPattern": f"^({secure})$",
        **({"Proxy": above} if above else {}),
    }
    (directory / "acng.conf").write_text("".join(f"{key}: {value}\n" for key, value in settings.items()))
    return directory
