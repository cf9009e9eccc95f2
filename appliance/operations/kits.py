"""The recovery kit, as it is now, and what it opens: the appliance's own state, encrypted, in each repository elsewhere."""

import io
import socket
from datetime import datetime

from cryptography.fernet import Fernet, InvalidToken

from appliance.domain.kit import KitRepository, RecoveryKit
from appliance.errors import Conflict, StateDoesNotOpen
from appliance.operations.steps.repositories import AUTHORITY, CREDENTIAL_PREFIX, KNOWN_HOSTS, PASSWORD_LENGTH, SSH_KEY, repository_scope
from appliance.store import state
from appliance.wiring import Appliance

SCOPE, STATE_KEY = "recovery-kit", "state_key"
KEPT_AS = "appliance"
"""The name under which repositories keep the state."""


def recovery_kit(appliance: Appliance, now: datetime) -> RecoveryKit:
    """All that it holds. Raises Conflict where nothing could be recovered with it yet."""
    known = appliance.store.repositories.list()
    ready = [one for one in known if one.state_kept_at is not None]
    if not ready:
        mend = "no backup has reached one yet; take one with: appliance backup NAME" if known else "add one: appliance repository add"
        raise Conflict(f"A recovery kit needs the appliance's state in a repository elsewhere: {mend}. Nothing was changed.")
    return RecoveryKit(
        machine=appliance.settings.panel_domain or socket.gethostname(),
        made_at=now,
        state_key=state_key(appliance),
        repositories={one.name: _repository(appliance, one.name, one.location) for one in ready},
    )


def state_key(appliance: Appliance) -> str:
    """What the state is encrypted with before it leaves: hosts carry it to repositories and can open those."""
    return appliance.store.vault.settle(SCOPE, STATE_KEY, Fernet.generate_key().decode())


def kit_password(appliance: Appliance, repository: str) -> str:
    """The kit's own password of a repository, which stays when the first one is changed."""
    return appliance.store.vault.ensure(SCOPE, repository, PASSWORD_LENGTH)


def sealed_state(appliance: Appliance, now: datetime) -> str:
    """The state as it is now, as text that only the kit's key opens; that key is in the state, so that the kit outlives a recovery."""
    key, file = Fernet(state_key(appliance)), io.BytesIO()
    state.write(appliance.settings, file, now)
    return key.encrypt(file.getvalue()).decode()


def opened_state(sealed: str | bytes, key: str) -> state.Archive:
    """The state that was sealed. Raises StateDoesNotOpen where the key does not open it, InvalidRequest for one of a newer version."""
    try:
        file = io.BytesIO(Fernet(key).decrypt(sealed))
    except (InvalidToken, ValueError):
        raise StateDoesNotOpen(
            "The key of the recovery kit does not open the state that is kept. Nothing was changed.", field="kit"
        ) from None
    return state.examine_archive(file)


def _repository(appliance: Appliance, name: str, location: str) -> KitRepository:
    kept = appliance.store.vault.all(repository_scope(name))
    own = {secret: value for secret, value in kept.items() if secret in (SSH_KEY, KNOWN_HOSTS, AUTHORITY)}
    credentials = {secret: value.strip() for secret, value in kept.items() if secret.startswith(CREDENTIAL_PREFIX)}
    named = {secret.removeprefix(CREDENTIAL_PREFIX): value for secret, value in credentials.items()}
    return KitRepository(location=location, password=kit_password(appliance, name), secrets=own | named)
