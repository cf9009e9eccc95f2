"""A machine for the playbooks: one rig a session, taken down to the last file."""

import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.playbooks.rig import REPOSITORY, Rig, read_product


@pytest.fixture(scope="session")
def rig() -> Iterator[Rig]:
    # Not below pytest's own directory, which only root may enter: nginx and the CRM's user live here.
    root = Path(tempfile.mkdtemp(prefix="tpb-", dir="/srv"))
    machine = Rig(root=root, name="tpb", port=24500, product=read_product(REPOSITORY / "tests/playbooks/product/ledgerly"))
    machine.prepare()
    machine.start_supervisord()
    try:
        yield machine
    finally:
        machine.play("instance_remove")
        machine.stop_supervisord()
        shutil.rmtree(root)
