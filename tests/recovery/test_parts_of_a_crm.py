"""Parts of a CRM come back without the rest; the tests of this file go on where the one before has ended."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from appliance.domain.instance import Deployment
from appliance.domain.operation import OperationStatus
from appliance.operations.workflows import WORKFLOWS
from appliance.web.sessions import SESSION_COOKIE
from tests.conftest import Crm
from tests.support.house import House
from tests.support.killing import carry_with_kills, failing_in
from tests.support.operating import now
from tests.support.runbooks import commands_in

COPY = "rescue-parts"
FILE = "documents/offer.txt"


@pytest.fixture(scope="module")
def copy(crm: Crm) -> Iterator[Crm]:
    """A copy of the CRM, which lives on by itself, with a file among its uploads and a recovery point."""
    crm.house.done("restore", crm.name, "--as", COPY)
    port = crm.house.appliance.store.instances.get(COPY).port
    write(crm.house, "as it was")
    crm.house.done("backup", COPY)
    yield Crm(house=crm.house, name=COPY, port=port, records=crm.house.records(COPY), hit_while_installing=[])
    crm.house.done("instance", "remove", COPY, "--yes", "--purge")
    assert not (crm.house.settings.crm_root / COPY).exists()


def serving(house: House) -> Deployment:
    deployment = house.appliance.store.instances.get(COPY).deployment
    assert deployment is not None
    return deployment


def uploaded(house: House) -> Path:
    return Path(serving(house).files) / FILE


def write(house: House, text: str) -> None:
    """As the CRM itself would."""
    file = uploaded(house)
    file.parent.mkdir(exist_ok=True)
    file.write_text(text)
    for path in (file, file.parent):
        shutil.chown(path, f"crm-{COPY}", f"crm-{COPY}")


def typed(house: House, heading: str, words: dict[str, str]) -> list[str]:
    """Type the commands of the runbook, and give what each has said."""
    commands = commands_in("restore.md", heading, {"NAME": COPY, **words})
    return [" ".join(house.done(*command.split()[1:]).split()) for command in commands]


def test_a_file_is_looked_up_brought_out_and_put_back_as_the_runbook_says(copy: Crm, tmp_path: Path) -> None:
    write(copy.house, "overwritten by mistake")
    listed, _, _, beside, put = typed(copy.house, "One file, or a folder", {"FILE": FILE, "COPY": str(tmp_path / "copy")})
    assert "documents/" in listed
    assert (tmp_path / "copy").read_text() == "as it was"
    assert (tmp_path / "copy.zip").stat().st_size > 100
    root = copy.house.settings.crm_root / COPY
    (restored,) = (root / "restored").iterdir()
    assert str(restored) in beside
    assert (restored / FILE).read_text() == "as it was"
    file = uploaded(copy.house)
    assert (file.read_text(), file.owner()) == ("as it was", f"crm-{COPY}")
    (kept,) = (root / "replaced").iterdir()
    assert str(kept) in put
    assert (kept / FILE).read_text() == "overwritten by mistake"
    assert file.stat().st_mode & 0o777 == 0o644
    status, _, _ = copy.house.get("/", port=copy.port)
    assert status == 200


def test_a_restore_of_files_says_what_would_change_and_asks(copy: Crm) -> None:
    write(copy.house, "written since")
    ended = copy.house.command("restore-files", COPY, FILE)
    assert "1 are others now" in " ".join(ended.stdout.split())
    assert ended.returncode != 0
    assert uploaded(copy.house).read_text() == "written since"


def test_only_the_database_comes_back_and_the_files_stay(copy: Crm) -> None:
    before = serving(copy.house)
    write(copy.house, "uploaded since")
    copy.house.seed(COPY)
    since = copy.house.records(COPY)
    assert since != copy.records
    copy.house.done("restore", COPY, "--to", point(copy), "--only", "database", "--yes")
    assert copy.house.records(COPY) == copy.records
    assert uploaded(copy.house).read_text() == "uploaded since"
    assert (serving(copy.house).files, serving(copy.house).database == before.database) == (before.files, False)
    said = detail_of(copy.house, "preflight")
    assert "+100 contacts" in said
    assert "the files stay as they are" in said
    copy.house.done("rollback", COPY)
    assert (copy.house.records(COPY), uploaded(copy.house).read_text()) == (since, "uploaded since")


def test_only_the_files_come_back_though_the_worker_is_killed_in_every_step(copy: Crm) -> None:
    before, records = serving(copy.house), copy.house.records(COPY)
    ended, hit = carry_with_kills(copy.house, "restore", COPY, {"point": point(copy), "only": "files"}, seed=11)
    assert (ended.status, ended.cause, hit) == (OperationStatus.SUCCEEDED, None, [step.name for step in WORKFLOWS["restore"].steps])
    assert (uploaded(copy.house).read_text(), copy.house.records(COPY)) == ("as it was", records)
    assert (serving(copy.house).database, serving(copy.house).files == before.files) == (before.database, False)
    assert "1 become what they were" in detail_of(copy.house, "preflight")
    copy.house.done("rollback", COPY)
    assert (uploaded(copy.house).read_text(), copy.house.records(COPY)) == ("uploaded since", records)


@pytest.mark.parametrize("only", ["database", "files"])
def test_a_restore_of_a_part_that_fails_takes_nothing_along_that_serves(copy: Crm, only: str) -> None:
    before, records = serving(copy.house), copy.house.records(COPY)
    with copy.house.own_worker_stopped(), failing_in(copy.house, "verify"):
        ended = copy.house.command("restore", COPY, "--to", point(copy), "--only", only, "--no-safety-backup", "--yes")
    assert ended.returncode == 3, ended.stdout[-2000:]
    assert (serving(copy.house), copy.house.records(COPY)) == (before, records)
    assert uploaded(copy.house).read_text() == "uploaded since"
    assert copy.house.get("/", port=copy.port)[0] == 200


def test_what_two_deployments_have_in_common_outlives_the_older_one(copy: Crm) -> None:
    records = copy.house.records(COPY)
    for only in ("files", "files", "database", "database"):
        copy.house.done("restore", COPY, "--to", point(copy), "--only", only, "--no-safety-backup", "--yes")
        assert uploaded(copy.house).read_text() == "as it was"
        assert copy.house.records(COPY) == (records if only == "files" else copy.records)
    root = copy.house.settings.crm_root / COPY
    kept = copy.house.appliance.store.instances.get(COPY).kept
    assert {path.name for path in (root / "files").iterdir()} == {Path(one.files).name for one in kept}
    databases = copy.house.sql(COPY, "select datname from pg_database where datname like 'crm\\_%' order by 1").split()
    assert databases == sorted({one.database for one in kept})


def point(copy: Crm) -> str:
    """The first recovery point of the copy."""
    return copy.house.appliance.store.points.list(COPY)[-1].id


def detail_of(house: House, step: str) -> str:
    """What a step of the last restore has said."""
    operation = next(one for one in house.appliance.store.operations.list(instance=COPY) if one.kind == "restore")
    return next(one.detail or "" for one in operation.steps if one.name == step)


def test_a_table_comes_back_beside_the_live_one_and_its_rows_are_copied_back(copy: Crm) -> None:
    house, records = copy.house, copy.house.records(COPY)
    house.done("backup", COPY)
    newest = house.appliance.store.points.list(COPY)[0]
    house.sql(COPY, "update persons_contact set last_name = 'Overwritten'")
    listed, said = typed(house, "One table, to copy rows back with SQL", {"TABLE": "persons_contact", "POINT": newest.id})
    assert "persons_contact" in listed
    schema = f"restored_{newest.at:%Y%m%d_%H%M}"
    assert f"{schema}.persons_contact" in said
    assert f"drop schema {schema} cascade" in said
    house.sql(
        COPY,
        "update persons_contact live set last_name = kept.last_name from SCHEMA.persons_contact kept"
        " where live.cremeentity_ptr_id = kept.cremeentity_ptr_id".replace("SCHEMA", schema),
    )
    house.sql(COPY, f"drop schema {schema} cascade")
    assert house.records(COPY) == records
    assert house.sql(COPY, "select count(*) from pg_database where datname like 'crm_tables%'") == "0"


def test_tables_are_restored_from_the_panel_though_the_worker_is_killed_in_every_step(copy: Crm) -> None:
    house = copy.house
    house.appliance.store.access.put_user(name="Oscar", password_hash="none", role="operator", must_change=False, now=now())
    token, session = house.appliance.store.access.open_session("Oscar", now=now())
    with httpx.Client(base_url=f"http://{house.settings.panel_listen}", cookies={SESSION_COOKIE: token}, timeout=60) as browser:
        page = browser.get(f"/backups/{COPY}/tables").text
        assert 'name="table:persons_contact"' in page
        unknown = browser.post(f"/backups/{COPY}/tables", data={"csrf": session.csrf})
        assert unknown.status_code == 422
    ended, hit = carry_with_kills(house, "restore-tables", COPY, {"tables": ["persons_contact", "persons_organisation"]}, seed=1)
    assert (ended.status, ended.cause, hit) == (OperationStatus.SUCCEEDED, None, ["preflight", "tables"])
    house.done("restore-tables", COPY, "persons_contact")
    schemas = house.sql(COPY, "select nspname from pg_namespace where nspname like 'restored%' order by 1").split()
    assert len(schemas) == 2
    assert schemas[1] == f"{schemas[0]}_2"
    for schema in schemas:
        counted = house.sql(COPY, "select count(*) from SCHEMA.persons_contact".replace("SCHEMA", schema))
        assert counted == house.sql(COPY, "select count(*) from persons_contact")
        house.sql(COPY, f"drop schema {schema} cascade")


def test_a_restore_of_tables_that_fails_leaves_nothing(copy: Crm) -> None:
    with copy.house.own_worker_stopped(), failing_in(copy.house, "tables"):
        ended = copy.house.command("restore-tables", COPY, "persons_contact")
    assert ended.returncode == 1, ended.stdout[-2000:]
    assert copy.house.sql(COPY, "select count(*) from pg_namespace where nspname like 'restored%'") == "0"
    assert copy.house.sql(COPY, "select count(*) from pg_database where datname like 'crm_tables%'") == "0"


def test_an_unknown_table_is_refused_with_those_that_there_are(copy: Crm) -> None:
    ended = copy.house.command("restore-tables", COPY, "persons_contacts")
    assert ended.returncode == 4
    assert "holds no table 'persons_contacts'; it holds:" in " ".join(ended.stdout.split())
