"""What the recovery kit needs, kept in a repository elsewhere with each backup; and the proof that the kit opens it."""

from base64 import b64decode
from pathlib import Path

from appliance.errors import InvalidRequest, StepFailed
from appliance.hosts.reach import ask
from appliance.operations.kits import KEPT_AS, kit_password, opened_state, sealed_state, state_key
from appliance.operations.run import Run
from appliance.operations.steps.repositories import lent_with
from appliance.store.state import Archive

SEALED, KIT_PASSWORD = "sealed-state", "kit-password"
SUSPECT = "Somebody else may have added it: see who has the credentials of that repository. A recovery takes the newest state that opens."


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
        sealed = b64decode(ask(run.machine.reach, ["base64", target]).stdout)  # it may be anything, not only text
    opened = _opened(run, name, sealed)
    _compare_audit(run, name, opened)
    run.appliance.store.repositories.prove_kit(name, now=run.now())
    return f"the state of {opened.made_at:%Y-%m-%d %H:%M} UTC, by the kit's password and key"


def _opened(run: Run, name: str, sealed: bytes) -> Archive:
    """The newest state of a repository, no older than the one that was brought there last. Raises StepFailed."""
    try:
        opened = opened_state(sealed, state_key(run.appliance))
    except InvalidRequest as refused:
        raise StepFailed(f"What {name} keeps last of the appliance cannot be opened: {refused} {SUSPECT}") from None
    kept_at = run.appliance.store.repositories.get(name).state_kept_at
    if kept_at is not None and opened.made_at < kept_at:
        told = f"{opened.made_at:%Y-%m-%d %H:%M} UTC, though one of {kept_at:%Y-%m-%d %H:%M} was kept"
        raise StepFailed(f"What {name} keeps last of the appliance is of {told}. {SUSPECT}")
    return opened


def _compare_audit(run: Run, name: str, opened: Archive) -> None:
    """The audit has to go on from where it was when that state was kept. Raises StepFailed."""
    noted = opened.audit
    if noted is not None and not run.appliance.store.audit.holds(noted):
        raise StepFailed(
            f"The audit no longer has the entry {noted.entries} that it had on {opened.made_at:%Y-%m-%d %H:%M} UTC, as {name} keeps it: "
            f"newer entries were removed or written anew. See which: appliance audit verify --head {noted.hash}"
        )
