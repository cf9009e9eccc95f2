"""A house of its own for what is kept and brought back, so that these tests run beside those of the first house."""

from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from tests.conftest import OLD, Crm, filled
from tests.support.house import RESCUE, House, a_house
from tests.support.rest_server import PASSWORD, USER


@pytest.fixture(scope="session")
def house() -> Iterator[House]:
    """A complete appliance."""
    with a_house(RESCUE) as built:
        yield built


@pytest.fixture(scope="session")
def crm(house: House) -> Crm:
    """Creme CRM 2.7.13 with three hundred records, and a recovery point of them."""
    house.done("install", "creme", "--name", house.plot.prefix, "--release", OLD)
    installed = filled(house)
    house.done("backup", installed.name)
    house.make_opening_cheap()
    return installed


@pytest.fixture(scope="module")
def folder() -> Iterator[Path]:
    """What lies on the other machine, and the files with what it is asked with."""
    with TemporaryDirectory(prefix="elsewhere-") as directory:
        (Path(directory) / "user").write_text(USER)
        (Path(directory) / "adding").write_text(PASSWORD)
        yield Path(directory)


def add_repository(house: House, name: str, *, folder: Path, port: int) -> None:
    """Have recovery points copied to the server that listens there."""
    files = {"RESTIC_REST_USERNAME": folder / "user", "RESTIC_REST_PASSWORD": folder / "adding"}
    credentials = [word for variable, file in files.items() for word in ("--credential", f"{variable}={file}")]
    house.done("repository", "add", name, f"rest:http://127.0.0.1:{port}/crm/", *credentials)
