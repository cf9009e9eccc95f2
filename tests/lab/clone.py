"""This clone's HEAD on a host, as `git clone` would bring it there."""

import tempfile
from pathlib import Path

from tests.lab import places
from tests.lab.host import LabHost
from tests.lab.programs import run

PLACE = "/root/crm-appliance"


def clone_into(host: LabHost) -> None:
    """Clone HEAD to PLACE; the host must have git. What is not committed does not come along."""
    with tempfile.TemporaryDirectory() as directory:
        bundle = Path(directory) / "crm-appliance.bundle"
        run("git", "-C", str(places.TREE), "bundle", "create", "-q", str(bundle), "HEAD")
        host.put(bundle, "/tmp/crm-appliance.bundle")
    host.run(f"git clone -q /tmp/crm-appliance.bundle {PLACE} && rm /tmp/crm-appliance.bundle")
