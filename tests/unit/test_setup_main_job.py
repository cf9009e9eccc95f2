"""The main job over a real store and the real catalogue; a thread stands in for the worker and ends each operation as told."""

import io
import re
import shutil
import threading
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from appliance.config import Settings
from appliance.domain.instance import Deployment, Instance, InstanceState, RecoveryPoint
from appliance.domain.operation import Operation, OperationStatus, StepStatus
from appliance.errors import Conflict
from appliance.operations.requesting import request
from appliance.setup import main_job, recover, report, up
from appliance.setup.progress import Progress
from appliance.wiring import Appliance, open_appliance

NOW = datetime(2026, 11, 21, 12, tzinfo=UTC)
TREE = Path(__file__).resolve().parents[2]
DEPLOYMENT = Deployment(
    id="0001-1", version="1.0", series="1", build="b", directory="/d", release_directory="/r", files="/f", database="crm", port=20000
)
Ending = Callable[[Appliance, Operation], OperationStatus]


def demo(product: str) -> Instance:
    return Instance(
        name="demo", product=product, release="1.0", series="1", state=InstanceState.ACTIVE, slot=0,
        address="127.0.0.1", port=8480, domain="localhost", created_at=NOW,
    )  # fmt: skip


def succeed(appliance: Appliance, operation: Operation) -> OperationStatus:
    if operation.kind == "install":
        appliance.store.instances.add(demo(operation.parameters["product"]))
        appliance.store.instances.serve("demo", DEPLOYMENT, previous=None)
        appliance.store.vault.ensure("demo", "admin_password", 20)
    if operation.kind == "backup":
        appliance.store.points.add(RecoveryPoint(id="p1", instance="demo", at=NOW, repository="local", record={}))
    if operation.kind == "drill":
        appliance.store.points.prove("p1", at=NOW, proof={})
    return OperationStatus.SUCCEEDED


def roll_back(appliance: Appliance, operation: Operation) -> OperationStatus:
    ended = OperationStatus.ROLLED_BACK
    appliance.store.operations.finish(operation.id, ended, now=NOW, cause="The disk is full.", next_action="Free some space.")
    return ended


class StandIn(threading.Thread):
    """Claims operations and ends them by `ending`."""

    def __init__(self, appliance: Appliance) -> None:
        super().__init__(daemon=True)
        self.appliance, self.is_over = appliance, threading.Event()
        self.ending: Ending = succeed

    def run(self) -> None:
        operations = self.appliance.store.operations
        while not self.is_over.wait(0.005):
            if (claimed := operations.claim(now=NOW)) is not None:
                operations.begin_step(claimed.id, claimed.steps[0].name, now=NOW)
                operations.end_step(claimed.id, claimed.steps[0].name, StepStatus.SUCCEEDED, now=NOW)
                operations.finish(claimed.id, self.ending(self.appliance, claimed), now=NOW)


@pytest.fixture(scope="module")
def migrated_home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    home = tmp_path_factory.mktemp("migrated") / "home"
    open_appliance(Settings(home=home)).store.database.engine.dispose()
    return home


@pytest.fixture
def appliance(tmp_path: Path, migrated_home: Path) -> Appliance:
    shutil.copytree(migrated_home, tmp_path / "home")
    return open_appliance(Settings(home=tmp_path / "home", etc=tmp_path / "etc"))


@pytest.fixture
def worker(appliance: Appliance) -> Iterator[StandIn]:
    stand_in = StandIn(appliance)
    stand_in.start()
    yield stand_in
    stand_in.is_over.set()
    stand_in.join()


@pytest.fixture
def job(appliance: Appliance, worker: StandIn) -> main_job.Job:
    assert worker.is_alive()
    progress = Progress(total=9, first=5, stream=io.StringIO(), clock=lambda: 0.0)
    return main_job.Job(appliance=appliance, progress=progress, now=lambda: NOW, poll_seconds=0.005)


def said(job: main_job.Job) -> str:
    assert isinstance(job.progress.stream, io.StringIO)
    return job.progress.stream.getvalue()


def do_all(job: main_job.Job) -> list[bool]:
    return [main_job.install(job), main_job.back_up(job), main_job.prove(job)]


def test_a_crm_is_installed_backed_up_and_proven(job: main_job.Job) -> None:
    assert do_all(job) == [True, True, True]
    assert job.appliance.store.points.list("demo")[0].proven_at == NOW


def test_the_default_crm_is_the_one_that_is_named_and_not_the_first_by_name(job: main_job.Job, appliance: Appliance) -> None:
    shipped = appliance.catalogue.default()
    own = appliance.settings.etc / "products" / "aaa"
    shutil.copytree(shipped.directory, own)
    text = (own / "product.yml").read_text().replace(f"id: {shipped.definition.id}\n", "id: aaa\n").replace("name: Creme", "name: Aaa")
    (own / "product.yml").write_text(text)
    assert appliance.catalogue.list()[0].definition.id == "aaa"
    main_job.install(job)
    assert appliance.store.instances.get("demo").product == shipped.definition.id
    assert appliance.catalogue.default("aaa").definition.id == "aaa"


def test_done_again_the_main_job_requests_nothing(job: main_job.Job) -> None:
    do_all(job)
    before = job.appliance.store.operations.list()
    assert do_all(job) == [False, False, False]
    assert job.appliance.store.operations.list() == before


def test_an_instance_of_the_administrators_own_is_enough(job: main_job.Job) -> None:
    main_job.install(job)
    job.appliance.store.instances.remove("demo")
    own = demo("any")
    job.appliance.store.instances.add(Instance(**{**vars(own), "name": "sales"}))
    assert do_all(job) == [False, False, False]


def test_each_step_of_an_operation_is_shown(job: main_job.Job) -> None:
    main_job.install(job)
    assert re.match(r"\[ 5/9\] Installing .+ … \n        Check before anything is changed … 0 s\n        0 s\n", said(job))


def test_a_failed_operation_is_explained_with_its_own_next_action(job: main_job.Job, worker: StandIn) -> None:
    worker.ending = roll_back
    with pytest.raises(main_job.OperationEnded) as ended:
        main_job.install(job)
    up.explain(ended.value, job.progress)
    assert "Why: The disk is full.\nWhat to do: Free some space.\n" in said(job)
    assert up.exit_code(ended.value) == 3


def test_an_operation_that_is_under_way_is_followed_and_not_requested_again(appliance: Appliance, job: main_job.Job) -> None:
    product = appliance.catalogue.list()[0].definition.id
    request(appliance, "install", "demo", {"product": product}, requested_by="admin", now=NOW)
    main_job.install(job)
    assert len(appliance.store.operations.list(kind="install")) == 1


def test_an_instance_that_is_busy_with_something_else_is_left_alone(appliance: Appliance, job: main_job.Job, worker: StandIn) -> None:
    main_job.install(job)
    worker.is_over.set()
    worker.join()
    request(appliance, "remove", "demo", {}, requested_by="admin", now=NOW)
    with pytest.raises(Conflict, match="busy") as refused:
        main_job.back_up(job)
    assert up.exit_code(refused.value) == 5


def test_the_first_administrator_gets_a_password_for_one_time_which_is_shown_at_once(job: main_job.Job) -> None:
    password = main_job.create_administrator(job)
    assert password is not None
    assert f"admin, with the one-time password {password}" in said(job)
    (user,) = job.appliance.store.access.users()
    assert (user.role, user.must_change) == ("administrator", True)
    assert main_job.create_administrator(job) is None


def test_the_report_says_where_everything_is_and_what_was_done(job: main_job.Job) -> None:
    do_all(job)
    text = "\n".join(report.lines(job.appliance, done=["installed the CRM"], password="once"))
    assert "http://127.0.0.1:8470/" in text
    assert "http://localhost:8480/" in text
    assert job.appliance.store.vault.get("demo", "admin_password") in text
    assert "1, of which 1 proven" in text


def test_when_nothing_was_done_the_report_says_so_and_shows_no_password(job: main_job.Job) -> None:
    do_all(job)
    text = "\n".join(report.lines(job.appliance, done=[], password=None))
    assert "Nothing to do" in text
    assert job.appliance.store.vault.get("demo", "admin_password") not in text


def test_the_shell_counts_the_same_steps_as_the_appliance() -> None:
    script = (TREE / "bin" / "up").read_text()
    installing = 4
    assert f"APPLIANCE_LAST_STEP={installing + up.STEPS_OF_EMPTY + up.STEPS_OF_MAIN_JOB}\n" in script
    assert f"|| APPLIANCE_LAST_STEP={installing + up.STEPS_OF_EMPTY}\n" in script
    assert up.STEPS_OF_EMPTY + up.STEPS_OF_MAIN_JOB == recover.STEPS
