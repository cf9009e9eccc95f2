"""The appliance's state in a repository elsewhere, to which a host that was broken into has added something under the same name."""

import io
import os
import shutil
import sqlite3
import subprocess
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from appliance.config import Settings
from appliance.domain.kit import RecoveryKit
from appliance.domain.operation import OperationStatus
from appliance.errors import StepFailed
from appliance.operations.kits import recovery_kit, sealed_state
from appliance.operations.repositories import add_repository
from appliance.operations.run import Run
from appliance.operations.steps.kit import keep_state, prove_kit
from appliance.setup import kept_states, recover
from appliance.setup.progress import Progress
from appliance.wiring import Appliance, open_appliance
from tests.support.cheap_restic_key import make_opening_cheap
from tests.support.operating import make_appliance
from tests.support.rest_server import PASSWORD, USER, append_only_server

REPOSITORY_PASSWORD = "of the repository"
HOUR = timedelta(hours=1)


@dataclass(frozen=True, kw_only=True)
class Place:
    """An appliance with a repository elsewhere, and what a host is lent of that one."""

    appliance: Appliance
    folder: Path
    port: int

    @property
    def spec(self) -> dict[str, Any]:
        return {
            "location": f"rest:http://127.0.0.1:{self.port}/crm/",
            "password_file": str(self.folder / "password"),
            "lock_directory": str(self.folder / "leases"),
            "credentials": {name: str(self.folder / name) for name in ("RESTIC_REST_USERNAME", "RESTIC_REST_PASSWORD")},
        }

    def drill(self) -> Run:
        """A run of a drill that reads from there, as far as the kit is concerned."""
        recorded = self.appliance.store.operations.record(
            kind="drill", instance="demo", parameters={"repository": "offsite"}, steps=[("kit", "Kit")], requested_by="Alice", now=now()
        )
        told: dict[str, Any] = {"step": "kit", "interrupted": False, "cancellable": False}
        return Run(appliance=self.appliance, operation=recorded, now=now, end_children_here=lambda: None, **told)

    def add(self, content: bytes, *, kept_at: datetime, filename: str = "kept", tag: str = "kept=appliance") -> None:
        """What anybody can who has the host's credentials, with restic itself."""
        argv = ["restic", "--no-cache", "--repo", self.spec["location"], "--password-file", self.spec["password_file"], "backup"]
        argv += ["--stdin", "--stdin-filename", filename, "--tag", tag, "--time", f"{kept_at.astimezone():%Y-%m-%d %H:%M:%S}"]
        login = {"RESTIC_REST_USERNAME": USER, "RESTIC_REST_PASSWORD": PASSWORD}
        subprocess.run(argv, input=content, env={**os.environ, **login}, check=True, stdout=subprocess.DEVNULL)

    def recover(self) -> tuple[recover.Found, str]:
        told = io.StringIO()
        return recover.fetch(self.kit(), Progress(total=1, stream=told)), told.getvalue()

    def kit(self) -> RecoveryKit:
        return recovery_kit(self.appliance, now())


def now() -> datetime:
    return datetime.now(UTC).replace(microsecond=0)


@pytest.fixture(scope="module")
def kept(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, int]:
    """A folder to copy, with an appliance whose state was kept, and the port of the server that it knows."""
    folder = tmp_path_factory.mktemp("kept")
    files = {"password": REPOSITORY_PASSWORD, "RESTIC_REST_USERNAME": USER, "RESTIC_REST_PASSWORD": PASSWORD}
    for name, value in files.items():
        (folder / name).write_text(value)
    appliance = make_appliance(folder / "appliance")
    with append_only_server(folder / "elsewhere") as port:
        made = Place(appliance=appliance, folder=folder, port=port)
        kept_states.ask("init", {"repository": made.spec})
        make_opening_cheap(folder / "elsewhere" / "crm", REPOSITORY_PASSWORD)
        add_repository(appliance, name="offsite", location=made.spec["location"], secrets=files, requested_by="Alice", now=now())
        keep_state(made.drill(), "offsite")
    appliance.store.operations.finish(1, OperationStatus.SUCCEEDED, now=now())
    appliance.store.database.engine.dispose()
    return folder, port


@pytest.fixture
def place(kept: tuple[Path, int], tmp_path: Path) -> Iterator[Place]:
    shutil.copytree(kept[0], tmp_path, dirs_exist_ok=True)
    home = tmp_path / "appliance"
    settings = Settings(
        home=home / "home", etc=home / "etc", run=home / "run", log=home / "log", cache=home / "cache", crm_root=home / "crm"
    )
    with append_only_server(tmp_path / "elsewhere", port=kept[1]):
        yield Place(appliance=open_appliance(settings), folder=tmp_path, port=kept[1])


def test_a_recovery_goes_past_what_does_not_open_and_says_so(place: Place) -> None:
    good = now()
    place.add(sealed_state(place.appliance, good).encode(), kept_at=good + timedelta(seconds=2))
    for hours, (content, filename) in enumerate([(b"rubbish", "kept"), (b"\xff\x00" * 9, "kept"), (b"no state", "other")], start=1):
        place.add(content, kept_at=good + hours * HOUR, filename=filename)
    found, told = place.recover()
    assert (found.repository, found.archive.made_at) == ("offsite", good)
    assert told.count("is passed over") == 3, told


def test_an_old_state_that_was_added_once_more_hides_no_newer_one(place: Place) -> None:
    good = now()
    place.add(sealed_state(place.appliance, good).encode(), kept_at=good)
    place.add(sealed_state(place.appliance, good - 9 * HOUR).encode(), kept_at=good + HOUR)
    assert place.recover()[0].archive.made_at == good


def test_a_record_that_is_none_stops_no_recovery(place: Place) -> None:
    record = '{"id": "p1", "crm": "demo", "at": "2026-11-23T01:00:00Z", "snapshots": {}, "bytes_added": 1, "bytes_processed": 1, '
    record += '"duration_seconds": 1, "restic_version": "0.18.0"}'
    for content in (record.encode(), b"\xffrubbish", b"{}"):
        place.add(content, kept_at=now(), filename="record.json", tag="crm=demo,part=record")
    place.add(b"nothing", kept_at=now(), filename="other", tag="crm=demo,part=record")
    assert place.recover()[0].points == ["p1"]


def test_what_is_too_large_to_be_a_state_is_not_read_to_its_end(place: Place) -> None:
    place.add(bytes(300 * 2**20), kept_at=now() + HOUR)
    assert "is far too large" in place.recover()[1]


def test_nothing_is_recovered_where_no_state_opens(place: Place) -> None:
    stranger = make_appliance(place.folder / "stranger")
    for snapshot in (place.folder / "elsewhere" / "crm" / "snapshots").iterdir():
        snapshot.unlink()
    place.add(sealed_state(stranger, now()).encode(), kept_at=now())
    with pytest.raises(StepFailed, match=r"offsite: It keeps no state that the key of the recovery kit opens"):
        place.recover()


def test_a_drill_proves_the_newest_state_and_fails_loudly_where_it_does_not_open(place: Place) -> None:
    run = place.drill()
    assert "by the kit's password and key" in prove_kit(run)
    proven_at = place.appliance.store.repositories.get("offsite").kit_proven_at
    for hours, content in enumerate((b"\xff rubbish", sealed_state(place.appliance, now() - HOUR).encode()), start=1):
        place.add(content, kept_at=now() + hours * HOUR)
        with pytest.raises(StepFailed, match="Somebody else may have added it"):
            prove_kit(run)
    assert place.appliance.store.repositories.get("offsite").kit_proven_at == proven_at


def test_a_drill_fails_where_the_audit_no_longer_goes_on_from_the_state_that_was_kept(place: Place) -> None:
    run = place.drill()
    keep_state(run, "offsite")
    assert "by the kit's password and key" in prove_kit(run)
    with closing(sqlite3.connect(place.appliance.settings.database_file)) as connection:
        connection.execute("DROP TRIGGER audit_is_not_removed")
        connection.execute("DELETE FROM audit WHERE id = (SELECT max(id) FROM audit)")
        connection.commit()
    with pytest.raises(StepFailed, match="audit no longer has the entry"):
        prove_kit(run)
