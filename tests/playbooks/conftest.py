"""A machine for the playbooks: one rig a session, taken down to the last file."""

import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from tests.playbooks.rig import REPOSITORY, Rig, read_product
from tests.support.traces import drop_clusters, remove_users


@pytest.fixture(scope="session")
def rig() -> Iterator[Rig]:
    clear()
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


def clear() -> None:
    """Leave nothing of a run that was killed before it could do so itself."""
    for pid_file in Path("/srv").glob("tpb-*/*.pid"):
        end(int(pid_file.read_text()), within=str(pid_file.parent))
    drop_clusters("tpb")
    remove_users("crm-tpb")
    for root in Path("/srv").glob("tpb-*"):
        shutil.rmtree(root)


def end(pid: int, *, within: str) -> None:
    """End a process and its children, if it still is the one that was started with the directory's configuration."""
    try:
        process = psutil.Process(pid)
        if any(within in word for word in process.cmdline()):
            processes = [process, *process.children(recursive=True)]
            for each in processes:
                each.kill()
            psutil.wait_procs(processes, timeout=60)
    except psutil.NoSuchProcess:
        return
