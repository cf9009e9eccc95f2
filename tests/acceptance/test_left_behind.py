"""What nobody keeps is found when the worker starts, and cleared; visitors are never let in to a CRM that is not well."""

from pathlib import Path

from appliance.domain.operation import Operation, OperationStatus
from tests.conftest import OLD, Crm
from tests.support.house import wait_for
from tests.support.killing import failing_in
from tests.support.left_behind import leave_deployment, marked_process, page_of

LOGIN = "/creme_login/"
NEVER = 10**6
"""A number that no operation has."""


def serves(crm: Crm, release: str) -> bool:
    status, _, body = crm.house.get(LOGIN, port=crm.port)
    return status == 200 and f"Version {release}" in body


def ended_tidying(crm: Crm) -> Operation:
    """The newest clearing, once it has ended."""
    journal = crm.house.appliance.store.operations

    def newest() -> Operation | None:
        return next(iter(journal.list(kind="tidy", limit=1)), None)

    wait_for(lambda: (found := newest()) is not None and found.status.is_final, seconds=120)
    return journal.list(kind="tidy", limit=1)[0]


def test_what_is_left_behind_is_cleared_when_the_worker_starts(crm: Crm) -> None:
    house, flag, copy = crm.house, page_of(crm.house.appliance, crm.name), crm.house.settings.crm_root / f"{crm.name}-drill"
    with marked_process(house.appliance, NEVER) as orphan:
        with house.own_worker_stopped():
            left = leave_deployment(house.appliance, name=crm.name)
            house.sql(crm.name, f"CREATE DATABASE {left.database}", database="postgres")
            copy.mkdir()
            flag.touch()
        ended = ended_tidying(crm)
        assert (ended.status, ended.cause) == (OperationStatus.SUCCEEDED, None)
        assert orphan.wait(10) != 0
    assert not any(path.exists() for path in (flag, copy, Path(left.directory)))
    assert left.database not in house.sql(crm.name, "select datname from pg_database").splitlines()
    assert serves(crm, OLD)
    assert crm.house.records(crm.name) == crm.records


def test_visitors_are_not_let_in_to_a_crm_that_is_stopped_until_it_is_started(crm: Crm) -> None:
    flag = page_of(crm.house.appliance, crm.name)
    serving = crm.house.appliance.store.instances.get(crm.name).deployment
    assert serving is not None
    services = [f"crm-{crm.name}-{serving.id}-{name}" for name in ("web", "queue")]
    flag.touch()
    crm.house.supervisorctl("stop", *services)
    refused = crm.house.command("instance", "tidy", crm.name)
    assert (refused.returncode, "The maintenance page stays" in refused.stdout) == (1, True), refused.stdout + refused.stderr
    assert flag.exists()
    crm.house.done("instance", "tidy", crm.name, "--start")
    assert not flag.exists()
    assert serves(crm, OLD)


def test_a_crm_that_somebody_has_closed_stays_closed_until_somebody_opens_it(crm: Crm) -> None:
    house = crm.house
    house.done("instance", "close", crm.name, "--message", "Stocktaking until <noon>.")
    wait_for(lambda: house.get(LOGIN, port=crm.port)[1].get("retry-after") == "600")  # nginx takes a new configuration by and by
    status, _, page = house.get(LOGIN, port=crm.port)
    assert (status, "Stocktaking until &lt;noon&gt;." in page) == (503, True)
    with house.own_worker_stopped():
        pass  # a worker that starts looks for what is left behind
    house.done("backup", crm.name)
    refused = house.command("patch", crm.name)
    assert (refused.returncode, "closed for maintenance by" in refused.stderr) == (4, True), refused.stdout + refused.stderr
    assert house.get(LOGIN, port=crm.port)[0] == 503
    with house.own_worker_stopped(), failing_in(house, "verify"):
        failed = house.command("restore", crm.name, "--yes")
    status, _, page = house.get(LOGIN, port=crm.port)
    assert (failed.returncode, status, "Stocktaking" in page) == (3, 503, True), failed.stdout + failed.stderr
    assert house.appliance.store.instances.get(crm.name).closed is not None
    house.done("instance", "open", crm.name)
    assert serves(crm, OLD)
    again = house.command("instance", "open", crm.name)
    assert (again.returncode, "is open to its users" in again.stderr) == (5, True), again.stdout + again.stderr
