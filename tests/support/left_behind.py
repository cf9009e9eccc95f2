"""The directories of CRMs as a host has them, with what may be left behind in them; they are real, and so are the processes."""

import json
import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

from appliance.domain.instance import Deployment, Instance
from appliance.domain.operation import OperationStatus
from appliance.hosts.confinement import MARKER, name_of
from appliance.wiring import Appliance
from tests.support.web_world import NOON, add_sales, deployment

SERVES, WAY_BACK = "0002-12", "0001-11"


def add_laid_out(appliance: Appliance, name: str = "sales", *, slot: int = 0) -> Instance:
    """A CRM that serves and has a way back, with its directories."""
    add_sales(appliance, name=name, slot=slot)
    serves, way_back = (described(appliance, name, id_) for id_ in (SERVES, WAY_BACK))
    appliance.store.instances.serve(name, serves, previous=way_back)
    for one in (serves, way_back):
        lay_out(one)
    (root_of(appliance, name) / "current").symlink_to(f"deployments/{SERVES}")
    (root_of(appliance, name) / "maintenance").mkdir()
    return appliance.store.instances.get(name)


def root_of(appliance: Appliance, name: str = "sales") -> Path:
    """The directory of a CRM on this machine."""
    return appliance.settings.crm_root / name


def page_of(appliance: Appliance, name: str = "sales") -> Path:
    """The flag that puts its maintenance page up."""
    return root_of(appliance, name) / "maintenance" / "maintenance.on"


def described(appliance: Appliance, name: str, id_: str) -> Deployment:
    """A deployment by its id, as an operation would decide on it."""
    root, database = root_of(appliance, name), f"crm_{id_.replace('-', '_')}"
    made = replace(deployment("2.7.13", "2.7"), id=id_, directory=str(root / "deployments" / id_), files=str(root / "files" / id_))
    return replace(made, database=database)


def lay_out(made: Deployment) -> None:
    """Its directory, with what it is made of."""
    directory = Path(made.directory)
    directory.mkdir(parents=True)
    (directory / "deployment.json").write_text(json.dumps({**made.as_variables(), "product": "creme", "release": made.version}))


def leave_deployment(
    appliance: Appliance, *, name: str = "sales", status: OperationStatus = OperationStatus.ROLLED_BACK, way: str = "new"
) -> Deployment:
    """A deployment that an operation has made, has written down and has left behind; the operation ends as `status` says."""
    journal = appliance.store.operations
    operation = journal.record(kind="upgrade", instance=name, parameters={}, steps=(), requested_by="Alice", now=NOON)
    made = described(appliance, name, f"0003-{operation.id}")
    journal.remember(operation.id, {"new": made.as_variables()} if way == "new" else {"stops": [made.as_variables()]})
    journal.finish(operation.id, status, now=NOON)
    lay_out(made)
    return made


@contextmanager
def marked_process(appliance: Appliance, operation_id: int) -> Iterator[subprocess.Popen[bytes]]:
    """A process that carries the mark of an operation."""
    told = os.environ | {MARKER: name_of(appliance.settings.home, operation_id)}
    with subprocess.Popen(["sleep", "60"], env=told) as process:
        try:
            yield process
        finally:
            process.kill()
