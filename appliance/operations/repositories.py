"""What is asked of the list of repositories elsewhere."""

import sys
from collections.abc import Mapping
from datetime import datetime

from appliance.domain.host import LOCALHOST
from appliance.domain.repository import KINDS, Repository, check_repository
from appliance.domain.retention import Retention
from appliance.errors import CommandFailed, InvalidRequest
from appliance.hosts.reach import Local
from appliance.hosts.streams import stream
from appliance.operations.steps.repositories import (
    ANSWERS_WITHIN_SECONDS,
    AUTHORITY,
    CREDENTIAL_PREFIX,
    KNOWN_HOSTS,
    LOCAL_REPOSITORY,
    NO_CRM,
    PASSWORD,
    PASSWORD_LENGTH,
    SSH_KEY,
    remote_repository,
    repository_scope,
    retention_scope,
)
from appliance.store.repositories import note_new_credentials
from appliance.wiring import Appliance
from backup.lent import LENT
from backup.locations import CREDENTIALS, kind_of


def add_repository(
    appliance: Appliance, *, name: str, location: str, secrets: Mapping[str, str], requested_by: str, now: datetime
) -> Repository:
    """Copy recovery points there from now on. Raises InvalidRequest.

    `secrets` are credentials by the names that restic knows them by, and `password` for a repository that is there already; for SFTP
    `ssh_key` and `known_hosts`, for a server with a certificate of a private authority `authority`.
    """
    taken = {LOCAL_REPOSITORY, LOCALHOST, *(host.name for host in appliance.store.hosts.list())}
    check_repository(name, taken=taken | {one.name for one in appliance.store.repositories.list()})
    _check_place(location, secrets)
    scope = repository_scope(name)
    _keep(appliance, scope, secrets)
    appliance.store.vault.ensure(scope, PASSWORD, PASSWORD_LENGTH)
    repository = Repository(name=name, location=location, created_at=now)
    appliance.store.repositories.add(repository, by=requested_by)
    return repository


def retain(
    appliance: Appliance, name: str, *, location: str | None, keep: Mapping[str, int], secrets: Mapping[str, str], by: str, now: datetime
) -> Repository:
    """Give up there what is not to be kept, with credentials that stay on this machine. Raises InvalidRequest, NotFound.

    `location` is where it is asked for that, if another place than hosts are told: a server may let be added at one door only.
    """
    repository = appliance.store.repositories.get(name)
    place = location or repository.location
    _check_place(place, secrets)
    if PASSWORD in secrets:
        raise InvalidRequest("The repository's password is known already. Nothing was changed.", field="password")
    if not secrets or _as_kept(secrets).items() <= appliance.store.vault.all(repository_scope(name)).items():
        said = "Give it credentials of its own: those that hosts have are to add only"
        raise InvalidRequest(f"{said}. Nothing was changed.", field="credential")
    Retention(**keep)
    _keep(appliance, retention_scope(name), secrets)
    appliance.store.repositories.retain(name, {"location": place, "keep": dict(keep)}, by=by, now=now)
    return appliance.store.repositories.get(name)


def retain_all(appliance: Appliance, name: str, *, by: str, now: datetime) -> None:
    """Give up nothing there any more, and forget the credentials for it. Raises NotFound."""
    appliance.store.repositories.retain(name, None, by=by, now=now)
    appliance.store.vault.forget(retention_scope(name))


def _check_place(location: str, secrets: Mapping[str, str]) -> None:
    kind = kind_of(location)
    if kind is None:
        raise InvalidRequest(f"{location[:200]!r} is no place for a repository: write {KINDS}. Nothing was changed.", field="location")
    if kind == "sftp" and not {SSH_KEY, KNOWN_HOSTS} <= secrets.keys():
        raise InvalidRequest("By SFTP, give the private key and the server's public one. Nothing was changed.", field="key")
    if unknown := sorted(secrets.keys() - CREDENTIALS - {PASSWORD, SSH_KEY, KNOWN_HOSTS, AUTHORITY}):
        known = ", ".join(sorted(CREDENTIALS))
        raise InvalidRequest(f"No credential is called {unknown[0]!r}; there are {known}. Nothing was changed.", field="credential")


def _as_kept(secrets: Mapping[str, str]) -> dict[str, str]:
    return {f"{CREDENTIAL_PREFIX}{name}" if name in CREDENTIALS else name: value for name, value in secrets.items()}


def _keep(appliance: Appliance, scope: str, secrets: Mapping[str, str]) -> None:
    appliance.store.vault.forget(scope)
    for secret, value in _as_kept(secrets).items():
        appliance.store.vault.put(scope, secret, value)


def replace_credentials(appliance: Appliance, name: str, secrets: Mapping[str, str], *, requested_by: str, now: datetime) -> None:
    """Ask it with these from now on, once they were seen to open it from this machine; what is not said stays, its password always.

    Logs that hosts ship there by themselves are given them by operations `archive`. Raises NotFound, and InvalidRequest.
    """
    repository = appliance.store.repositories.get(name)
    if PASSWORD in secrets:
        raise InvalidRequest("What lies there is encrypted with its password, which stays as it is. Nothing was changed.", field="password")
    if not secrets:
        raise InvalidRequest("Say what it is to be asked with. Nothing was changed.", field="credential")
    kept = appliance.store.vault.all(repository_scope(name))
    _check_place(repository.location, {**{one: "" for one in (SSH_KEY, KNOWN_HOSTS) if one in kept}, **secrets})
    replaced = kept | _as_kept(secrets)
    _require_opens(appliance, repository, replaced)
    appliance.store.vault.exchange(
        repository_scope(name),
        replaced,
        also=lambda session: note_new_credentials(session, name, told=secrets.keys(), by=requested_by, now=now),
    )


def _require_opens(appliance: Appliance, repository: Repository, secrets: Mapping[str, str]) -> None:
    """Raises InvalidRequest where they do not open it. Before the first backup there may be nothing that could be opened."""
    leases = appliance.settings.home / "leases"
    spec = remote_repository(repository.location, leases, {secret: f"{LENT}{secret}" for secret in secrets})
    asked = {"repository": spec, "lent": dict(secrets), "crm": NO_CRM, "deadline_seconds": ANSWERS_WITHIN_SECONDS}
    argv = [sys.executable, "-m", "backup", "points"]
    try:
        stream(Local(), argv, asked, environment={}, on_event=lambda _: None, is_cancelled=lambda: False)
    except CommandFailed as failure:
        if failure.code != "no_repository" or repository.noted_at is not None:
            said = f"With these {repository.name} does not open: {_why(failure)}"
            raise InvalidRequest(f"{said} Nothing was changed.", field="credential") from None


def _why(failure: CommandFailed) -> str:
    if failure.code == "deadline":
        return f"it did not answer within {ANSWERS_WITHIN_SECONDS} s."
    return " ".join(str(failure).removesuffix("Nothing was changed.").split())


def remove_repository(appliance: Appliance, name: str, *, requested_by: str, now: datetime) -> None:
    """Copy nothing there any more; its password and what lies there stay. Raises NotFound."""
    appliance.store.repositories.remove(name, by=requested_by, now=now)
    appliance.store.vault.forget(retention_scope(name))
