"""Parts of a CRM come back without the rest; the tests of this file go on where the one before has ended."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from appliance.domain.instance import Deployment
from tests.conftest import Crm
from tests.support.house import House
from tests.support.runbooks import commands_in

COPY = "rescue-parts"
FILE = "documents/offer.txt"


@pytest.fixture(scope="module")
def copy(crm: Crm) -> Iterator[Crm]:
    """A copy of the CRM, which lives on by itself, with a file among its uploads and a recovery point."""
    crm.house.done("backup", crm.name)
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
