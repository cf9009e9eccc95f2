"""Say, before anything is changed, what a restore would leave behind: what was entered or uploaded since."""

from appliance.domain.instance import RecoveryPoint
from appliance.errors import CommandFailed
from appliance.operations.run import Run
from appliance.operations.steps.deploying import count_records
from appliance.operations.steps.repositories import lent, source_repository
from appliance.operations.steps.restoring import brings_database, brings_files
from appliance.operations.steps.settling import told_differences
from appliance.operations.steps.subject import old


def would_be_lost(run: Run) -> str:
    """A sentence for people; it is only told, so what cannot be counted (a destroyed database, for example) stops nothing."""
    point = run.appliance.store.points.get(run.memory["restored_point"])
    told = [_records(run, point) if brings_database(run) else "the database stays as it is"]
    told.append(_files(run, point) if brings_files(run) else "the files stay as they are")
    return "; ".join(told)


def _records(run: Run, point: RecoveryPoint) -> str:
    if run.memory.get("at"):
        return "what was entered since that moment will no longer be in the CRM"
    try:
        now = count_records(run, old(run))
    except CommandFailed as failure:
        return f"what was entered since could not be counted ({failure})"
    return f"entered since, and no longer in the CRM then: {told_differences(point.record, now)}"


def _files(run: Run, point: RecoveryPoint) -> str:
    held = {"crm": point.instance, "point": point.id, "source": str(point.record["deployment"]["files"])}
    try:
        with lent(run, source_repository(run, point)) as repository:
            found = run.backup("preview", {"repository": repository, **held, "target": old(run).files, "named": 0})
    except CommandFailed as failure:
        return f"what was uploaded since could not be counted ({failure})"
    return (
        f"{found['gone']} files that were uploaded since will be gone, {found['changed']} become what they were, {found['new']} come back"
    )
