"""How the programs on a host reach a repository: the host's own directory, or one elsewhere with what it is asked with."""

from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from appliance.domain.host import LOCALHOST
from appliance.domain.instance import RecoveryPoint
from appliance.errors import CommandFailed
from appliance.operations.run import Run

PASSWORD_LENGTH = 40
LOCAL_REPOSITORY = "local"
PASSWORD, SSH_KEY, KNOWN_HOSTS, AUTHORITY = "password", "ssh_key", "known_hosts", "authority"
CREDENTIAL_PREFIX = "credential-"
"""Names of secrets in the scope of a repository."""
ANSWERS_WITHIN_SECONDS = 30
NO_CRM = "no_crm"
"""What no CRM can be called: asked for its recovery points, a repository has to read none of its records, however many there are."""


def repository_name(host: str) -> str:
    """How a host's own repository is called."""
    return LOCAL_REPOSITORY if host == LOCALHOST else host


def host_of_point(point: RecoveryPoint) -> str:
    """The host that a recovery point lies on."""
    return LOCALHOST if point.repository == LOCAL_REPOSITORY else point.repository


def repository_scope(repository: str) -> str:
    """Where the password of a repository, and what else it is asked with, is kept."""
    return f"repository:{repository}"


def retention_scope(repository: str) -> str:
    """Where what retention runs with in a repository is kept; it is lent to no host."""
    return f"retention:{repository}"


def own_repository(run: Run) -> str:
    """The name of the repository on the operation's host."""
    return repository_name(run.machine.host.name)


def source_repository(run: Run, point: RecoveryPoint) -> str:
    """Where a recovery point is read: in the repository that the request names, or in the one it was made in."""
    return str(run.operation.parameters.get("repository") or point.repository)


def local_repository(run: Run, password_file: str) -> dict[str, Any]:
    """The repository on the operation's host, for the backup package."""
    return {"location": str(run.machine.layout.repository_directory), "password_file": password_file}


def answers(run: Run, repository: Mapping[str, Any]) -> bool:
    """Whether there is a repository at its place; restic itself would try for a quarter of an hour to reach one that is away.

    Raises CommandFailed, with the code `unreachable` where nobody answers.
    """
    try:
        run.backup("points", {"repository": repository, "crm": NO_CRM, "deadline_seconds": ANSWERS_WITHIN_SECONDS})
    except CommandFailed as failure:
        if failure.code == "deadline":
            raise CommandFailed(f"It did not answer within {ANSWERS_WITHIN_SECONDS} s.", code="unreachable") from failure
        if failure.code != "no_repository":
            raise
        return False
    return True


@contextmanager
def lent(run: Run, repository: str) -> Iterator[dict[str, Any]]:
    """A repository for the backup package, with what it is asked with laid down on the host for the length of the block."""
    with lent_both(run, repository) as (spec,):
        yield spec


@contextmanager
def lent_both(run: Run, *repositories: str) -> Iterator[list[dict[str, Any]]]:
    """The same of several."""
    with run.lent_secrets(_secrets(run, repositories)) as files:
        yield [_spec(run, name, files) for name in repositories]


@contextmanager
def lent_with(run: Run, repository: str, more: Mapping[str, str]) -> Iterator[tuple[dict[str, Any], dict[str, str]]]:
    """A repository elsewhere, and more that is secret, in files by its names."""
    with run.lent_secrets({**_secrets(run, [repository]), **more}) as files:
        yield _spec(run, repository, files), {name: files[name] for name in more}


def _secrets(run: Run, repositories: Iterable[str]) -> dict[str, str]:
    vault = run.appliance.store.vault
    vault.ensure(repository_scope(own_repository(run)), PASSWORD, PASSWORD_LENGTH)
    return {f"{name}.{secret}": value for name in repositories for secret, value in vault.all(repository_scope(name)).items()}


def _spec(run: Run, repository: str, files: Mapping[str, str]) -> dict[str, Any]:
    own = {name.removeprefix(f"{repository}."): file for name, file in files.items() if name.startswith(f"{repository}.")}
    if repository == own_repository(run):
        return local_repository(run, own[PASSWORD])
    location = run.appliance.store.repositories.get(repository).location
    return remote_repository(location, run.machine.layout.repository_directory.parent / "leases", own)


def remote_repository(location: str, leases: Path, files: Mapping[str, str]) -> dict[str, Any]:
    """A repository elsewhere, for the backup package: what it is asked with in `files`, by the names of its secrets."""
    return {
        "location": location,
        "password_file": files[PASSWORD],
        "lock_directory": str(leases),
        "credentials": {name.removeprefix(CREDENTIAL_PREFIX): file for name, file in files.items() if name.startswith(CREDENTIAL_PREFIX)},
        "key_file": files.get(SSH_KEY),
        "known_hosts": files.get(KNOWN_HOSTS),
        "authority": files.get(AUTHORITY),
    }
