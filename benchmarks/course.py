"""One run in which all is saved, changed, saved again and restored: what several measures take their figures from."""

from dataclasses import dataclass
from functools import cache

from benchmarks import incremental, restoring
from benchmarks.figure import Say
from benchmarks.incremental import Incremental
from benchmarks.keeping import keeping
from benchmarks.privilege import require_root
from benchmarks.restoring import Restoring


@dataclass(frozen=True, kw_only=True)
class Course:
    """What was measured in it."""

    saving: Incremental
    restoring: Restoring


@cache
def measured(rounds: int, say: Say) -> Course:
    """Take it, once in a process. Raises MeasureFailed."""
    require_root("The measures of backups")
    with keeping(say) as kept:
        with kept.received():
            saving = incremental.measure(kept, rounds, say)
        return Course(saving=saving, restoring=restoring.measure(kept, rounds, say))
