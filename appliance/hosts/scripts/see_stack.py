"""Look whether the monitoring stack can be on this host; nothing is changed.

Arguments: its directory, address and port of the appliance's metrics, packages. Prints JSON: `ours` says whether the appliance has begun to
install it here, `packages` what is installed and what apt has of each (empty: nothing), `reaches` why the metrics cannot be reached from
here (empty: they can).
"""

import json
import re
import socket
import subprocess
import sys
from pathlib import Path

CANDIDATE = re.compile(r"^  (Installed|Candidate): (\S+)$", re.MULTILINE)


def package(name: str) -> "dict[str, str]":
    """The versions of a package, as apt's lists have them."""
    said = subprocess.run(["apt-cache", "policy", name], capture_output=True, text=True, check=False, env={"LC_ALL": "C.UTF-8"}).stdout
    found = {title.lower(): version.replace("(none)", "") for title, version in CANDIDATE.findall(said)}
    return {"installed": found.get("installed", ""), "candidate": found.get("candidate", "")}


def reaches(address: str, port: int) -> str:
    """Why nothing answers there, or ""."""
    try:
        socket.create_connection((address, port), timeout=5).close()
    except OSError as error:
        return error.strerror or str(error)
    return ""


if __name__ == "__main__":
    directory, address, port, *packages = sys.argv[1:]
    seen = {
        "ours": Path(directory).is_dir(),
        "packages": {name: package(name) for name in packages},
        "reaches": reaches(address, int(port)) if address else "",
    }
    json.dump(seen, sys.stdout)
