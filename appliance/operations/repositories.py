"""What is asked of the list of repositories elsewhere."""

from collections.abc import Mapping
from datetime import datetime

from appliance.domain.host import LOCALHOST
from appliance.domain.repository import KINDS, Repository, check_repository
from appliance.errors import InvalidRequest
from appliance.operations.steps.repositories import (
    AUTHORITY,
    CREDENTIAL_PREFIX,
    KNOWN_HOSTS,
    LOCAL_REPOSITORY,
    PASSWORD,
    PASSWORD_LENGTH,
    SSH_KEY,
    repository_scope,
)
from appliance.wiring import Appliance
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
    kind = kind_of(location)
    if kind is None:
        raise InvalidRequest(f"{location[:200]!r} is no place for a repository: write {KINDS}. Nothing was changed.", field="location")
    if kind == "sftp" and not {SSH_KEY, KNOWN_HOSTS} <= secrets.keys():
        raise InvalidRequest("By SFTP, give the private key and the server's public one. Nothing was changed.", field="key")
    if unknown := sorted(secrets.keys() - CREDENTIALS - {PASSWORD, SSH_KEY, KNOWN_HOSTS, AUTHORITY}):
        known = ", ".join(sorted(CREDENTIALS))
        raise InvalidRequest(f"No credential is called {unknown[0]!r}; there are {known}. Nothing was changed.", field="credential")
    scope = repository_scope(name)
    appliance.store.vault.forget(scope)
    for secret, value in secrets.items():
        appliance.store.vault.put(scope, f"{CREDENTIAL_PREFIX}{secret}" if secret in CREDENTIALS else secret, value)
    appliance.store.vault.ensure(scope, PASSWORD, PASSWORD_LENGTH)
    repository = Repository(name=name, location=location, created_at=now)
    appliance.store.repositories.add(repository, by=requested_by)
    return repository


def remove_repository(appliance: Appliance, name: str, *, requested_by: str, now: datetime) -> None:
    """Copy nothing there any more; its password and what lies there stay. Raises NotFound."""
    appliance.store.repositories.remove(name, by=requested_by, now=now)
