"""What an upgrade or a restore is about to do, written down first, so that whoever finds it unfinished can end it; and how it ended."""

import json
from dataclasses import asdict, dataclass, replace
from datetime import datetime
from enum import StrEnum
from pathlib import Path
from typing import Any

from appliance.errors import ConfigurationError
from appliance.production.places import Places
from appliance.production.releases import sync_directory, write_durably


class Phase(StrEnum):
    """How far it has come."""

    PREPARED = "prepared"
    """Nothing was stopped for good, nothing replaced."""
    FORWARD = "forward"
    """The state from before is kept; the new release, or the restored state, is being put in place."""
    BACK = "back"
    """It did not become ready; what was before is being put back."""
    STUCK = "stuck"
    """What was before did not become ready either; an administrator has to look."""


class Result(StrEnum):
    """How it ended."""

    SUCCEEDED = "succeeded"
    ROLLED_BACK = "rolled_back"
    REFUSED = "refused"
    FAILED = "failed"


@dataclass(frozen=True, kw_only=True)
class Intent:
    """`source` and `target` are releases, `before` is where the state from before is kept, `state` the one that replaces it, if any."""

    kind: str
    source: Path
    target: Path
    before: Path
    state: Path | None = None
    phase: Phase = Phase.PREPARED
    cause: str = ""
    attempts: int = 0

    def write(self, places: Places) -> None:
        """Put it on disk."""
        write_durably(places.intent, json.dumps(asdict(self), default=str))

    def moved(self, places: Places, **changes: Any) -> "Intent":
        """The same with changes, on disk."""
        changed = replace(self, **changes)
        changed.write(places)
        return changed


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """How the last one ended; `at` is ISO 8601."""

    kind: str
    result: Result
    source: str
    target: str
    cause: str
    at: str
    before: str


def read_intent(places: Places) -> Intent | None:
    """The unfinished one, or None. Raises ConfigurationError for a file that is none of ours."""
    try:
        kept = json.loads(places.intent.read_text())
    except FileNotFoundError:
        return None
    except (OSError, ValueError) as error:
        raise ConfigurationError(f"{places.intent} cannot be read ({error}). Nothing was changed.") from error
    paths = {name: Path(kept[name]) for name in ("source", "target", "before")}
    return Intent(**{**kept, **paths, "state": Path(kept["state"]) if kept["state"] else None, "phase": Phase(kept["phase"])})


def read_outcome(places: Places) -> Outcome | None:
    """How the last one ended, or None."""
    try:
        kept = json.loads(places.outcome.read_text())
        return Outcome(**{**kept, "result": Result(kept["result"])})
    except (OSError, ValueError, TypeError, KeyError):
        return None


def end(places: Places, intent: Intent, result: Result, cause: str, now: datetime) -> None:
    """Write how it ended; but for one that is stuck nothing is under way any more."""
    outcome = Outcome(
        kind=intent.kind,
        result=result,
        source=intent.source.name,
        target=intent.target.name,
        cause=cause,
        at=now.isoformat(),
        before=str(intent.before),
    )
    write_durably(places.outcome, json.dumps(asdict(outcome)))
    if result is not Result.FAILED:
        places.intent.unlink(missing_ok=True)
        sync_directory(places.intent.parent)
