"""What the recovery kit needs, kept in a repository elsewhere with each backup; and the proof that the kit opens it."""

from pathlib import Path

from appliance.errors import InvalidRequest, StepFailed
from appliance.hosts.reach import ask
from appliance.operations.kits import KEPT_AS, kit_password, opened_state, sealed_state, state_key
from appliance.operations.run import Run
from appliance.operations.steps.repositories import lent_with

SEALED, KIT_PASSWORD = "sealed-state", "kit-password"


def keep_state(run: Run, repository: str) -> None:
    """Keep the appliance's own state there, and let the kit's password open it. Raises CommandFailed."""
    appliance, now = run.appliance, run.now()
    password = kit_password(appliance, repository)  # made before the state is read, which has to hold it
    more = {SEALED: sealed_state(appliance, now), KIT_PASSWORD: password}
    with lent_with(run, repository, more) as (spec, files):
        run.backup("key", {"repository": spec, "new_password_file": files[KIT_PASSWORD]})
        run.backup("keep", {"repository": spec, "name": KEPT_AS, "file": files[SEALED]})
    appliance.store.repositories.keep_state(repository, now=now)


def prove_kit(run: Run) -> str:
    """Where a drill reads from a repository elsewhere: open it with the kit's password, and the newest state in it with the kit's key.

    Raises CommandFailed, StepFailed.
    """
    name = run.operation.parameters.get("repository")
    if name is None:
        return "not asked for: the recovery point was read on its host"
    if run.appliance.store.repositories.get(name).state_kept_at is None:
        return f"no state of the appliance is kept in {name} yet; the next backup brings it there"
    with lent_with(run, name, {KIT_PASSWORD: kit_password(run.appliance, name)}) as (spec, files):
        target = str(Path(files[KIT_PASSWORD]).with_name(SEALED))
        run.backup("fetch", {"repository": {**spec, "password_file": files[KIT_PASSWORD]}, "name": KEPT_AS, "target": target})
        sealed = ask(run.machine.reach, ["cat", target]).stdout
    try:
        opened = opened_state(sealed, state_key(run.appliance))
    except InvalidRequest as refused:
        raise StepFailed(f"What {name} keeps of the appliance cannot be opened: {refused}") from None
    run.appliance.store.repositories.prove_kit(name, now=run.now())
    return f"the state of {opened.made_at:%Y-%m-%d %H:%M} UTC, by the kit's password and key"
