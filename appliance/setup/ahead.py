"""Begun by `bin/up` while it is busy with other things: the Python environment of the first CRM's release.

It is what the role `release` does first, by the same program. The installation of that CRM finds it made, waits for it, or makes it anew;
so it does not matter where this is killed, and nobody asks how it ended.
"""

import json
import subprocess
import sys
from pathlib import Path

from appliance.config import Settings, load_settings, playbooks_directory, program
from appliance.products.builds import build_of
from appliance.products.catalogue import open_catalogue

INSTANCE = "demo"
"""Name of the CRM that `appliance up` installs."""
PYTHON = "/usr/bin/python3"


def release_directory(settings: Settings) -> Path:
    """Where the first CRM's release will be."""
    product = open_catalogue(settings.etc / "products").default(settings.default_product)
    version = product.definition.default_release
    return settings.crm_root / INSTANCE / "releases" / f"{version}-{build_of(product, version)}"


def asked(settings: Settings) -> dict[str, str]:
    """What the role's program is told, as the role would tell it."""
    product = open_catalogue(settings.etc / "products").default(settings.default_product)
    lock = product.lock_of(product.definition.default_release).read_text()
    places = {"directory": str(release_directory(settings)), "cache": str(settings.cache / "uv")}
    return {**places, "lock": lock, "uv": program("uv"), "python": PYTHON}


def main() -> int:
    """Make the environment, but not on a machine that has had an appliance before; returns the program's exit code."""
    settings = load_settings()
    if settings.database_file.exists():
        return 0
    script = playbooks_directory() / "roles" / "release" / "files" / "environment.py"
    return subprocess.run([PYTHON, str(script)], input=json.dumps(asked(settings)), text=True, check=False).returncode


if __name__ == "__main__":
    sys.exit(main())
