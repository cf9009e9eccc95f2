"""Any moment of a CRM comes back, not only those of its recovery points; the tests of this file go on where the one before has ended."""

import subprocess
import time
from collections.abc import Iterator
from datetime import UTC, datetime

import pytest

from appliance.domain.instance import Archive
from appliance.domain.operation import OperationStatus
from appliance.operations.workflows import WORKFLOWS
from tests.conftest import Crm
from tests.support.house import wait_for
from tests.support.killing import carry_with_kills

COPY = "rescue-moments"
SHIPPED_WITHIN_SECONDS = 10


@pytest.fixture(scope="module")
def copy(crm: Crm) -> Iterator[Crm]:
    """A copy of the CRM, which lives on by itself."""
    crm.house.done("restore", crm.name, "--as", COPY)
    port = crm.house.appliance.store.instances.get(COPY).port
    yield Crm(house=crm.house, name=COPY, port=port, records=crm.house.records(COPY), hit_while_installing=[])
    crm.house.done("archive", COPY)
    crm.house.done("instance", "remove", COPY, "--yes", "--purge")
    assert not (crm.house.settings.crm_root / COPY).exists()
    assert subprocess.run(["pgrep", "-f", f"pg_receivewal.*{COPY}"], check=False, stdout=subprocess.DEVNULL).returncode == 1


def steps_of(kind: str) -> list[str]:
    return [step.name for step in WORKFLOWS[kind].steps]


def archive_of(crm: Crm) -> Archive | None:
    return crm.house.appliance.store.instances.get(crm.name).archive


def serving(crm: Crm) -> str:
    deployment = crm.house.appliance.store.instances.get(crm.name).deployment
    assert deployment is not None
    return deployment.id


def test_without_an_archive_it_says_what_can_be_gone_back_to(copy: Crm) -> None:
    copy.house.done("backup", copy.name)
    ended = copy.house.command("restore", copy.name, "--at", datetime.now(UTC).isoformat(), "--yes")
    assert ended.returncode == 4
    assert "there is no base with its log; begin with: appliance archive" in " ".join(ended.stdout.split())


def test_an_archive_survives_kill_9_in_each_of_its_steps(copy: Crm) -> None:
    ended, hit = carry_with_kills(copy.house, "archive", copy.name, {}, seed=6)
    assert (ended.status, ended.cause, hit) == (OperationStatus.SUCCEEDED, None, steps_of("archive"))
    archive = archive_of(copy)
    assert archive is not None
    assert archive.deployment == serving(copy)


def test_the_moment_before_a_mistake_comes_back_with_all_that_was_committed_by_then(copy: Crm) -> None:
    copy.house.seed(copy.name)
    records, moment = copy.house.records(copy.name), datetime.now(UTC)
    time.sleep(0.1)
    copy.house.sql(copy.name, "update persons_contact set last_name = 'Overwritten'")
    assert copy.house.records(copy.name) != records
    time.sleep(SHIPPED_WITHIN_SECONDS)
    copy.house.done("restore", copy.name, "--at", moment.isoformat(), "--yes")
    assert copy.house.records(copy.name) == records
    assert records["counts"]["contacts"] == copy.records["counts"]["contacts"] + 100


def test_the_log_of_what_serves_after_a_restore_is_received_by_itself(copy: Crm) -> None:
    def follows() -> bool:
        archive = archive_of(copy)
        return archive is not None and archive.deployment == serving(copy) and not unfinished(copy)

    wait_for(follows, seconds=120)
    assert copy.house.appliance.store.operations.list(instance=copy.name, limit=1)[0].status == OperationStatus.SUCCEEDED


def unfinished(crm: Crm) -> bool:
    newest = crm.house.appliance.store.operations.list(instance=crm.name, limit=1)
    return not newest[0].status.is_final


def test_a_drill_proves_the_log_too(copy: Crm) -> None:
    copy.house.done("backup", copy.name)
    time.sleep(SHIPPED_WITHIN_SECONDS)
    said = copy.house.done("drill", copy.name, "--way", "log")
    assert "proven; back in service after" in " ".join(said.split())


def test_a_log_that_is_received_no_longer_is_noticed_by_the_next_backup(copy: Crm) -> None:
    service = f"crm-{copy.name}-archive"
    assert "any moment up to" in " ".join(copy.house.done("backup", copy.name).split())
    copy.house.supervisorctl("stop", service)
    ended = copy.house.command("backup", copy.name)
    copy.house.supervisorctl("start", service)
    assert ended.returncode == 1
    assert "Begin it anew: appliance archive rescue-moments --afresh" in " ".join(ended.stdout.split())
    copy.house.done("archive", copy.name, "--afresh")
    copy.house.done("backup", copy.name)


def test_an_archive_that_is_ended_leaves_nothing_on_the_host(copy: Crm) -> None:
    copy.house.done("archive", copy.name, "--off")
    assert archive_of(copy) is None
    assert copy.house.sql(copy.name, "select count(*) from pg_replication_slots") == "0"
    assert not (copy.house.settings.crm_root / copy.name / "archive").exists()
