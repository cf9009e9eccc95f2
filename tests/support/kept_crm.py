"""An appliance with a CRM that is only remembered, whose uploads and recovery points are real."""

import os
import shutil
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from appliance.domain.instance import RecoveryPoint
from appliance.domain.operation import OperationStatus
from appliance.operations.kinds.check import accept
from appliance.operations.repositories import add_repository
from appliance.operations.run import Run
from appliance.operations.steps.elsewhere import copy_elsewhere
from appliance.operations.steps.repositories import lent
from appliance.wiring import Appliance, open_appliance
from tests.support.cheap_restic_key import make_opening_cheap
from tests.support.operating import make_appliance
from tests.support.rest_server import PASSWORD, USER, free_port
from tests.support.web_world import add_sales

LONG_AGO = 1_700_000_000
FILES = 20
LOCAL = "repository:local"


@dataclass(frozen=True, kw_only=True)
class KeptCrm:
    """An appliance with a CRM that has uploads and recovery points of them."""

    appliance: Appliance
    uploads: Path
    elsewhere: Path

    def run(self, kind: str, **parameters: Any) -> Run:
        """Begin an operation; the one before has ended."""
        journal = self.appliance.store.operations
        for one in journal.list(status=[OperationStatus.QUEUED]):
            journal.finish(one.id, OperationStatus.FAILED, now=now())
        recorded = journal.record(kind=kind, instance="sales", parameters=parameters, steps=[(kind, kind)], requested_by="Alice", now=now())
        told: dict[str, Any] = {"step": kind, "interrupted": False, "cancellable": False}
        return Run(appliance=self.appliance, operation=recorded, now=now, end_children_here=lambda: None, **told)

    def check(self, **parameters: Any) -> Run:
        return self.run("check", **accept(self.appliance, "sales", parameters))

    def back_up(self, *points: str) -> None:
        run = self.run("backup")
        for point in points:
            self._save(run, point)

    def _save(self, run: Run, point: str) -> None:
        with lent(run, "local") as repository:
            told = {"repository": repository, "crm": "sales", "point": point, "database": None, "paths": [str(self.uploads)]}
            record = run.backup("backup", told)
        at = datetime.fromisoformat(record["at"])
        self.appliance.store.points.add(RecoveryPoint(id=point, instance="sales", at=at, repository="local", record=record))

    def back_up_as_the_appliance_does(self) -> str:
        """One point, which its operation remembers; gives its id."""
        run = self.run("backup")
        point = f"{now():%Y%m%dT%H%M%SZ}-{run.operation.id}"
        run.remember(point=point)
        self._save(run, point)
        return point

    def copy(self) -> None:
        """Copy everything elsewhere, by a backup that succeeds."""
        run = self.run("backup")
        journal, ended = self.appliance.store.operations, OperationStatus.FAILED
        journal.claim(now=now())
        try:
            copy_elsewhere(run)
            ended = OperationStatus.SUCCEEDED
        finally:
            journal.finish(run.operation.id, ended, now=now())

    def lose(self, repository: str, *points: str) -> None:
        """What somebody does who has the password of a repository and its disk."""
        run = self.run("check")
        told = {"crm": "sales", "points": list(points), "prune": False}
        with lent(run, "local") as spec:
            location = spec["location"] if repository == "local" else str(self.elsewhere)
            password = Path(spec["password_file"])
            password.write_text(self.appliance.store.vault.get(f"repository:{repository}", "password") or "")
            run.backup("forget", {"repository": {"location": location, "password_file": str(password)}, **told})


def now() -> datetime:
    return datetime.now(UTC)


def make_empty(folder: Path) -> Appliance:
    """An appliance whose repository is made, to copy."""
    appliance = make_appliance(folder)
    run = KeptCrm(appliance=appliance, uploads=folder, elsewhere=folder).run("backup")
    with lent(run, "local") as repository:
        run.backup("init", {"repository": repository})
    make_opening_cheap(appliance.settings.repository_directory, appliance.store.vault.get(LOCAL, "password") or "")
    return appliance


def make_kept(empty: Appliance, folder: Path) -> KeptCrm:
    """A CRM with uploads that were written long ago, and no recovery point yet."""
    appliance = make_appliance(folder)
    shutil.copytree(empty.settings.repository_directory, appliance.settings.repository_directory)
    appliance.store.vault.put(LOCAL, "password", empty.store.vault.get(LOCAL, "password") or "")
    uploads = folder / "uploads"
    uploads.mkdir()
    for number in range(FILES):
        (uploads / f"{number}.txt").write_text(f"upload {number}")
        os.utime(uploads / f"{number}.txt", (LONG_AGO, LONG_AGO))
    add_sales(appliance)
    store = appliance.store
    store.points.forget([point.id for point in store.points.all()])
    deployment = store.instances.get("sales").deployment
    assert deployment is not None
    store.instances.serve("sales", replace(deployment, files=str(uploads)), previous=None)
    return KeptCrm(appliance=appliance, uploads=uploads, elsewhere=folder / "elsewhere" / "crm")


def copy_of(crm: KeptCrm, folder: Path) -> KeptCrm:
    """The same appliance, repositories and all, below another folder."""
    source = crm.elsewhere.parents[1]
    crm.appliance.store.database.engine.dispose()
    shutil.copytree(source, folder, dirs_exist_ok=True)
    moved = {
        name: folder / path.relative_to(source)
        for name, path in crm.appliance.settings
        if isinstance(path, Path) and source in path.parents
    }
    settings = crm.appliance.settings.model_copy(update=moved)
    return KeptCrm(appliance=open_appliance(settings), uploads=crm.uploads, elsewhere=folder / crm.elsewhere.relative_to(source))


def give_elsewhere(crm: KeptCrm) -> int:
    """A repository elsewhere, which is empty and known; gives the port on which it is to be served."""
    password, port = crm.appliance.store.vault.get(LOCAL, "password") or "", free_port()
    secrets = {"RESTIC_REST_USERNAME": USER, "RESTIC_REST_PASSWORD": PASSWORD, "password": password}
    shutil.copytree(crm.appliance.settings.repository_directory, crm.elsewhere)
    location = f"rest:http://127.0.0.1:{port}/crm/"
    add_repository(crm.appliance, name="offsite", location=location, secrets=secrets, requested_by="Alice", now=now())
    return port
