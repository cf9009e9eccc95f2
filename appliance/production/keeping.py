"""The appliance's state in files of root: made in the name of its user, so that root opens nothing in a directory that is not its own."""

import os
import shutil
from datetime import UTC, datetime
from pathlib import Path
from typing import IO, Any

from appliance.config import Settings
from appliance.errors import InvalidRequest, PreflightFailed
from appliance.production.account import as_user
from appliance.production.places import USER, Places
from appliance.production.releases import sync_directory
from appliance.production.up import with_settings, write_settings
from appliance.setup.files import write_if_changed
from appliance.store import state

KEPT_STATES = 5


def new_directory(places: Places, now: datetime) -> Path:
    """A directory of today for a state that is kept."""
    places.backups.mkdir(mode=0o700, parents=True, exist_ok=True)
    directory = places.backups / f"{now:%Y-%m-%dT%H%M%S}"
    directory.mkdir(mode=0o700, exist_ok=True)
    return directory


def save_to(settings: Settings, file: Path) -> dict[str, Any]:
    """Write the state to a file of root's (0600), replacing it at one moment; returns the manifest."""
    partial = file.with_name(f".{file.name}.partial")
    with open_private(partial) as stream:
        manifest = as_user(settings, lambda: state.save(settings, stream, datetime.now(UTC)))
    partial.replace(file)
    sync_directory(file.parent)
    return manifest


def open_private(file: Path) -> IO[bytes]:
    """A new file that nobody else can read; one that is there is emptied. Raises InvalidRequest."""
    try:
        file.unlink(missing_ok=True)
        return os.fdopen(os.open(file, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o600), "w+b")
    except OSError as error:
        raise InvalidRequest(f"{file} cannot be written: {error.strerror}. Nothing was changed.", field="file") from None


def put_in_place(settings: Settings, file: Path, *, settle: bool) -> list[int]:
    """Replace state and settings by those of a backup; returns the operations that do not go on by themselves. Nothing may run."""
    with file.open("rb") as stream:
        archive = state.examine_archive(stream)
        said = as_user(settings, lambda: state.put_back(settings, archive, settle=settle, now=datetime.now(UTC)))
        _put_settings(settings, archive)
    return list(said["settled"])


def _put_settings(settings: Settings, archive: state.Archive) -> None:
    text = with_settings(state.settings_of(archive), production="true")
    values = state.check_settings(text)
    domain = values.get("panel_domain") or settings.panel_domain
    file = settings.etc / "appliance.toml"
    write_if_changed(file, text, mode=0o640)
    write_settings(settings.model_copy(update={"panel_domain": domain}))
    shutil.chown(file, "root", USER)
    for name, content in archive.products().items():
        place = settings.etc / "products" / name
        write_if_changed(place, content.decode(), mode=0o644)


def require_room(settings: Settings, places: Places, *, release_bytes: int) -> None:
    """Raises PreflightFailed when a release, or the copies of the state, would not fit."""
    wanted = {
        places.opt: release_bytes,
        places.backups: state.room_needed_bytes(settings),
        settings.home: state.room_needed_bytes(settings),
    }
    problems = [
        f"{directory} has {state.free_bytes(directory) // 1024**2} MB free and {needed // 1024**2} MB are needed; make room there"
        for directory, needed in wanted.items()
        if state.free_bytes(directory) < needed
    ]
    if problems:
        raise PreflightFailed(tuple(problems))


def keep_newest(places: Places) -> None:
    """Remove the oldest states."""
    for directory in sorted(places.backups.iterdir())[:-KEPT_STATES]:
        shutil.rmtree(directory)
