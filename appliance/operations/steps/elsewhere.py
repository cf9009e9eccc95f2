"""Bring recovery points, bases and logs to the repositories elsewhere."""

from collections.abc import Mapping
from typing import Any

from appliance.errors import CommandFailed, StepFailed
from appliance.operations.run import Run
from appliance.operations.steps.kit import keep_state
from appliance.operations.steps.repositories import answers, lent, lent_both, own_repository
from appliance.operations.steps.shrinking import gone_from, shrunk
from appliance.operations.steps.snapshots import purge
from appliance.operations.workflow import StepDefinition

NOTHING_REMOVED = "nothing_removed"
NOTHING_GIVEN_UP = "What the host still has was copied there again, and nothing was given up there."


def copy_elsewhere(run: Run) -> str:
    """Copy to each what is not there yet, and give up there what was given up here. Raises StepFailed when one was not reached."""
    repositories = run.appliance.store.repositories.list()
    failures = [failure for repository in repositories if (failure := _copied(run, repository.name))]
    if failures:
        raise StepFailed(
            f"{'; '.join(failures)} What was saved is kept on the host; what is missing elsewhere is copied by the next backup."
        )
    return ", ".join(repository.name for repository in repositories) or "there is no repository elsewhere"


def _copied(run: Run, name: str) -> str | None:
    """Copy to one; gives what went wrong."""
    run.log(f"copying to {name}")
    try:
        with lent_both(run, own_repository(run), name) as (source, target):
            gone = _gone(run, name, target if answers(run, target) else None)
            copied = run.backup("copy", {"repository": target, "source": source, "crm": run.operation.instance})
        if not gone:
            _give_up(run, name)
        keep_state(run, name)
    except CommandFailed as failure:
        run.appliance.store.repositories.note(name, str(failure), works=False, now=run.now())
        return f"Repository {name}: {failure}"
    if gone:
        run.appliance.store.repositories.note(name, f"{gone} {NOTHING_GIVEN_UP}", works=False, now=run.now())
        return f"{gone} {NOTHING_GIVEN_UP}"
    text = f"{copied['snapshots']} snapshots copied in {copied['duration_seconds']:.0f} s"
    run.appliance.store.repositories.note(name, text, works=True, now=run.now())
    run.log(text)
    return None


def _gone(run: Run, name: str, target: Mapping[str, Any] | None) -> str:
    """What has gone from there before anything was copied; found once, since copying may be called again and brings it back."""
    found = run.memory.get(f"gone:{name}")
    if found is None:
        gone = gone_from(run, name, target)
        found = shrunk(name, gone) if gone else ""
        run.remember(**{f"gone:{name}": found})
    return str(found)


def _give_up(run: Run, name: str) -> None:
    given_up = run.memory.get("given_up")
    if not given_up:
        return
    crm = run.operation.instance
    with lent(run, name) as repository:
        there = {point["id"] for point in run.backup("points", {"repository": repository, "crm": crm})["points"]}
        going = [point for point in given_up["points"] if point in there]
        try:
            run.backup("forget", {"repository": repository, "crm": crm, "points": going, "log_since": given_up["log_since"]})
        except CommandFailed as failure:
            if failure.code != NOTHING_REMOVED:
                raise
            run.log(f"{name} keeps what was given up here, since it lets be added only.")


def purge_everywhere(run: Run, crm: str) -> list[str]:
    """Give up everything that is kept of a CRM on its host, and elsewhere; gives what has stayed, and why. Raises CommandFailed."""
    purge(run, own_repository(run), crm)
    stayed = []
    for repository in run.appliance.store.repositories.list():
        try:
            purge(run, repository.name, crm)
        except CommandFailed as failure:
            stayed.append(f"{repository.name} still holds what was copied there: {failure}")
    return stayed


ELSEWHERE = StepDefinition(name="elsewhere", title="Copy to the repositories elsewhere", run=copy_elsewhere)
