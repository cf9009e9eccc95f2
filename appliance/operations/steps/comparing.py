"""Compare live files with the newest recovery point: what was lost or changed on the disk is noticed while it can be brought back."""

from collections.abc import Mapping, Sequence
from typing import Any

from appliance.domain.instance import Instance, RecoveryPoint
from appliance.errors import StepFailed
from appliance.operations.run import Run
from appliance.operations.steps.repositories import lent, own_repository
from appliance.operations.workflow import StepDefinition

LARGEST_SAMPLE = 400
"""As `python -m backup compare` takes it."""
NAMED = 5
"""So many files of a kind are named in a message; the log names all."""


def compare_files(run: Run) -> str:
    """A sample of what is live, by content. Raises StepFailed where more than a tolerated share is missing or differs."""
    sample = run.operation.parameters["sample"]
    if sample == 0:
        return "not asked for"
    instance = run.appliance.store.instances.get(run.operation.instance)
    point = newest_of_the_same_files(run.appliance.store.points.list(instance.name), instance, own_repository(run))
    if point is None:
        return "no recovery point holds the files that serve yet"
    with lent(run, own_repository(run)) as repository:
        told = {"repository": repository, "crm": instance.name, "point": point.id, "paths": list(point.record["paths"]), "sample": sample}
        found = run.backup("compare", told)
    for kind in ("missing", "differing"):
        for path in found[kind]:
            run.log(f"{kind}: {shown(path)}")
    return judged(found, tolerated_percent=run.operation.parameters["tolerated_percent"])


def newest_of_the_same_files(points: Sequence[RecoveryPoint], instance: Instance, repository: str) -> RecoveryPoint | None:
    """The newest point, of those newest first, that was taken of the files that serve now and lies on the host."""
    assert instance.deployment is not None  # noqa: S101 - accepted only for an instance that serves
    files = instance.deployment.files
    return next((one for one in points if one.repository == repository and files in one.record.get("paths", ())), None)


def judged(found: Mapping[str, Any], *, tolerated_percent: int) -> str:
    """What was found, in a sentence. Raises StepFailed with counts and names where it is more than is tolerated."""
    missing, differing = found["missing"], found["differing"]
    unwritten = found["same"] + len(missing) + len(differing)
    told = f"{unwritten} files that were not written since recovery point {found['point']}: {found['same']} are as they were saved"
    told += f", {len(missing)} missing{named(missing)}, {len(differing)} with other content{named(differing)}"
    told += f"; {found['changed_since']} were written since"
    if (len(missing) + len(differing)) * 100 > unwritten * tolerated_percent:
        mend = "See who removed or changed them; the recovery point holds them, and a restore with --as brings them back beside."
        raise StepFailed(f"Of {told}. More than {tolerated_percent} % is not tolerated. Nothing was changed. {mend}")
    return told


def named(paths: Sequence[str]) -> str:
    """The first of them.

    >>> named(["/a", "/b"]), named([])
    (' (/a, /b)', '')
    """
    more = f" and {len(paths) - NAMED} more" if len(paths) > NAMED else ""
    return f" ({', '.join(map(shown, paths[:NAMED]))}{more})" if paths else ""


def shown(path: str) -> str:
    r"""A path, whatever it is called, on one line.

    >>> shown("/srv/a b"), shown("/srv/a\nb")
    ('/srv/a b', "'/srv/a\\nb'")
    """
    return path if path.isprintable() else repr(path)


COMPARE = StepDefinition(name="compare", title="Compare live files with the newest recovery point", run=compare_files)
