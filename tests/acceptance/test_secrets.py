"""Whatever was done before in this run: no secret of it stands where somebody could read it."""

from collections.abc import Iterator
from pathlib import Path

from tests.conftest import Crm


def secrets_of(crm: Crm) -> dict[str, bytes]:
    vault = crm.house.appliance.store.vault
    scopes = (crm.name, "repository:local")
    return {f"{scope}/{name}": value.encode() for scope in scopes for name, value in vault.all(scope).items()}


def everything_written(crm: Crm) -> Iterator[Path]:
    settings = crm.house.settings
    kept = settings.crm_root / crm.name / "secrets"
    for root in (settings.home, settings.etc, settings.log, settings.run, settings.crm_root, Path("/var/log/postgresql")):
        for file in root.rglob("*"):
            if file.is_file() and not file.is_symlink() and kept not in file.parents:
                yield file


def test_the_canaries_are_real(crm: Crm) -> None:
    secrets = secrets_of(crm)
    assert {"trial/admin_password", "trial/secret_key", "repository:local/password"} <= secrets.keys()
    secret_file = crm.house.settings.crm_root / crm.name / "secrets" / "secret_key"
    assert secret_file.read_bytes().strip() == secrets["trial/secret_key"]


def test_no_secret_stands_in_any_file(crm: Crm) -> None:
    secrets = secrets_of(crm)
    leaks = [f"{name} in {file}" for file in everything_written(crm) for name, value in secrets.items() if value in file.read_bytes()]
    assert leaks == []


def test_no_secret_was_ever_an_argument_of_a_program(crm: Crm) -> None:
    assert len(crm.house.watch.seen) > 100
    leaks = [name for line in crm.house.watch.seen.copy() for name, value in secrets_of(crm).items() if value in line]
    assert leaks == []


def test_no_secret_was_logged(crm: Crm) -> None:
    store = crm.house.appliance.store
    lines = [line.text.encode() for one in store.operations.list(limit=1000) for line in store.logs.lines(one.id, limit=100_000)]
    assert len(lines) > 100
    assert [name for line in lines for name, value in secrets_of(crm).items() if value in line] == []
