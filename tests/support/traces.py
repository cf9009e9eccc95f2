"""What tests make on this machine beside files: clusters and users. What a killed run left of them, the next clears first."""

import pwd
import shutil
import subprocess
import time
from pathlib import Path

import psutil

CLUSTERS = Path("/etc/postgresql")
DATA = Path("/var/lib/postgresql")


def drop_clusters(prefix: str) -> None:
    """Drop every cluster whose name begins so, and what is left of half a one; a server on its way down is tried again for a minute."""
    deadline = time.monotonic() + 60
    for cluster in CLUSTERS.glob(f"*/{prefix}*"):
        while not _is_dropped(cluster):
            assert time.monotonic() < deadline, f"the cluster {cluster.name} could not be dropped"
            time.sleep(0.1)
    for data in DATA.glob(f"*/{prefix}*"):
        _end_server(data)
        shutil.rmtree(data)


def _is_dropped(cluster: Path) -> bool:
    version = cluster.parent.name
    subprocess.run(["pg_dropcluster", "--stop", version, cluster.name], check=False, capture_output=True)
    if not Path(DATA, version, cluster.name).exists():
        shutil.rmtree(cluster, ignore_errors=True)  # Debian's tool leaves configuration that it did not write
    return not cluster.exists()


def _end_server(data: Path) -> None:
    """End the server that runs on data without a configuration, which Debian's tools no longer know."""
    servers = [process for process in psutil.process_iter(["cmdline"]) if str(data) in (process.info["cmdline"] or ())]
    for server in servers:
        server.kill()
    psutil.wait_procs(servers, timeout=60)


def remove_users(prefix: str) -> None:
    """End every process of the users whose names begin so, and remove the users."""
    for entry in pwd.getpwall():
        if entry.pw_name.startswith(prefix):
            subprocess.run(["pkill", "-9", "-u", entry.pw_name], check=False)
            subprocess.run(["userdel", entry.pw_name], check=False, capture_output=True)
