"""The appliance's own state, out of a repository elsewhere: whoever can add there may have added something else under its name."""

import sys
from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from typing import Any

from appliance.errors import CommandFailed, StateDoesNotOpen, StepFailed
from appliance.hosts.reach import Local
from appliance.hosts.streams import stream
from appliance.operations.kits import KEPT_AS, opened_state
from appliance.setup.progress import Progress
from appliance.store import state


def newest_that_opens(repository: Mapping[str, Any], key: str, folder: Path, progress: Progress) -> state.Archive:
    """The newest state that the kit's key opens, by the moment it was made, which that key vouches for; each that is passed over is said.

    A state that was added once more later than it was made hides no newer one. Raises CommandFailed where the repository gives
    nothing, StepFailed where no state opens, InvalidRequest for one of a newer version of the appliance.
    """
    newest: state.Archive | None = None
    for one in ask("kept", {"repository": repository, "name": KEPT_AS})["kept"]:
        kept_at = datetime.fromisoformat(one["at"])
        if newest is not None and newest.made_at >= kept_at:
            break
        try:
            opened = _opened(repository, one["snapshot"], key, folder)
        except (CommandFailed, StateDoesNotOpen) as failure:
            progress.below(f"What was kept at {kept_at:%Y-%m-%d %H:%M:%S} UTC ({one['snapshot'][:8]}) is passed over: {failure}")
            continue
        newest = opened if newest is None or opened.made_at > newest.made_at else newest
    if newest is None:
        raise StepFailed("It keeps no state that the key of the recovery kit opens.")
    progress.below(f"The state is of {newest.made_at:%Y-%m-%d %H:%M:%S} UTC.")
    return newest


def ask(verb: str, spec: Mapping[str, Any]) -> dict[str, Any]:
    """Let the backup package of this machine do something. Raises CommandFailed."""
    argv = [sys.executable, "-m", "backup", verb]
    return stream(Local(), argv, spec, environment={}, on_event=lambda _: None, is_cancelled=lambda: False)


def _opened(repository: Mapping[str, Any], snapshot: str, key: str, folder: Path) -> state.Archive:
    sealed = folder / snapshot
    try:
        ask("fetch", {"repository": repository, "name": KEPT_AS, "snapshot": snapshot, "target": str(sealed)})
    except CommandFailed:
        ask("kept", {"repository": repository, "name": KEPT_AS})  # says so itself where it is the repository that fails
        raise
    try:
        return opened_state(sealed.read_bytes(), key)
    finally:
        sealed.unlink()
