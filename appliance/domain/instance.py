"""What an instance is: one CRM deployment on one host."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any, NamedTuple

from appliance.domain.closure import Closure
from appliance.domain.names import origin
from appliance.domain.objectives import Objectives
from appliance.domain.tls import Tls
from appliance.errors import InvalidRequest

NAME_PATTERN = re.compile(r"[a-z][a-z0-9]*(-[a-z0-9]+)*")
LONGEST_NAME = 24
"""`crm-<name>` has to be a Linux user name (32 characters), with room for the suffix of a drill."""
SCRATCH_SUFFIX = "-drill"
REHEARSAL_SUFFIX = "-rehearsal"
"""They end the names of scratch copies; no instance of an administrator's may end like that."""


class InstanceState(StrEnum):
    """Where an instance stands in its life."""

    INSTALLING = "installing"
    """Its name and ports are taken; it does not serve yet."""
    ACTIVE = "active"
    """It serves."""
    REMOVING = "removing"
    """It is being taken away."""
    SCRATCH = "scratch"
    """A drill's copy: never shown, never watched, gone at the end of the drill."""
    LOST = "lost"
    """Its host is gone for good; it is to be brought back, under its name, from a repository elsewhere."""


@dataclass(frozen=True, kw_only=True)
class Deployment:
    """What serves together: a release, a database, files and the port they answer on. `id` orders deployments of an instance."""

    id: str
    version: str
    series: str
    build: str
    directory: str
    release_directory: str
    files: str
    database: str
    port: int
    cluster: int = 0
    """Which of the instance's database clusters holds its database; an upgrade makes another one, as a standby of the one that serves."""
    role: str = "production"
    mail: bool = True

    def as_variables(self) -> dict[str, Any]:
        """As a playbook and the store take it."""
        return dict(vars(self))


@dataclass(frozen=True, kw_only=True)
class Archive:
    """The log of a database that is received all the time: of which deployment, and into which directory (`spool`) of the host.

    `database` is how that database is reached there. The log is shipped to the repositories `relays`, too: by the name of each, when it
    was added.
    """

    deployment: str
    spool: str
    database: Mapping[str, Any]
    relays: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class Instance:
    """One CRM. `deployment` serves, `previous` is the way back of the last upgrade or restore, if it is kept."""

    name: str
    product: str
    release: str
    series: str
    state: InstanceState
    slot: int
    address: str
    port: int
    domain: str
    created_at: datetime
    host: str = "localhost"
    tls: Tls = field(default_factory=Tls)
    settings: Mapping[str, Any] = field(default_factory=dict)
    deployment: Deployment | None = None
    previous: Deployment | None = None
    archive: Archive | None = None
    """Where its log is received, if it is: that of `deployment`, or of the one before while the change is not followed yet."""
    asks_approval: bool = False
    """Whether what changes it begins only when a second person has agreed."""
    is_public: bool = False
    """Whether the status page shows it, to whoever can reach the panel."""
    measures_adoption: bool = True
    """Whether its database is asked how much people work with it, where its product says how."""
    objectives: Objectives = field(default_factory=Objectives)
    closed: Closure | None = None
    """Who has turned its visitors away, if somebody has; an operation's own maintenance page is nobody's."""

    @property
    def is_lost(self) -> bool:
        """Whether its host is gone, and it with it."""
        return self.state is InstanceState.LOST

    @property
    def url(self) -> str:
        """Where its users find it."""
        return origin("https" if self.tls.is_on else "http", self.domain, self.port) + "/"

    @property
    def kept(self) -> tuple[Deployment, ...]:
        """Its deployments: the one that serves, and the way back."""
        return tuple(deployment for deployment in (self.deployment, self.previous) if deployment is not None)

    def cluster(self, number: int) -> str:
        """Name of one of its database clusters; it cannot hold a dash, since systemd puts one behind the version."""
        return self.name.replace("-", "_") + (f"__{number}" if number else "")

    @property
    def user(self) -> str:
        """The system user it runs as."""
        return f"crm-{self.name}"


@dataclass(frozen=True, kw_only=True)
class RecoveryPoint:
    """A moment to go back to; without `proven_at` it was never restored and is shown as unproven."""

    id: str
    instance: str
    at: datetime
    repository: str
    record: Mapping[str, Any]
    proven_at: datetime | None = None
    proof: Mapping[str, Any] | None = None

    @property
    def has_dump(self) -> bool:
        """Whether its database can be restored from a dump."""
        return bool(self.record["snapshots"]["database"])

    @property
    def measured_rto(self) -> timedelta | None:
        """How long the drill that proved it took until the copy was in service, if one did."""
        seconds = (self.proof or {}).get("rto_seconds")
        return None if seconds is None else timedelta(seconds=float(seconds))

    @property
    def is_in_log(self) -> bool:
        """Whether it is marked in a received log, so that a base and that log lead to it."""
        return self.record.get("wal") is not None


def check_name(name: str) -> str:
    """Give an instance's name back if it is one. Raises InvalidRequest: it becomes part of paths, users, clusters and service names."""
    if not NAME_PATTERN.fullmatch(name) or len(name) > LONGEST_NAME:
        raise InvalidRequest(
            f"{name[:60]!r} cannot name an instance: use up to {LONGEST_NAME} small letters, digits and single dashes, "
            "beginning with a letter. Nothing was changed.",
            field="name",
        )
    if name.endswith((SCRATCH_SUFFIX, REHEARSAL_SUFFIX)):
        kept = f"{SCRATCH_SUFFIX} or {REHEARSAL_SUFFIX}"
        raise InvalidRequest(f"Names that end in {kept} are kept for restore drills and rehearsals. Nothing was changed.", field="name")
    return name


def scratch_name(source: str, suffix: str = SCRATCH_SUFFIX) -> str:
    """Name a scratch copy of an instance."""
    return source[: LONGEST_NAME - len(suffix)].rstrip("-") + suffix


class InstanceGlance(NamedTuple):
    """What is asked of each CRM where there are many of them."""

    name: str
    host: str
    product: str
    release: str
    domain: str
    state: InstanceState
    has_deployment: bool
    objectives: Objectives
    closed: Closure | None = None

    @property
    def is_serving(self) -> bool:
        """Whether it is in service, and something of it is there."""
        return self.state is InstanceState.ACTIVE and self.has_deployment

    @property
    def is_lost(self) -> bool:
        """Whether its host is gone, and it with it."""
        return self.state is InstanceState.LOST


class PointGlance(NamedTuple):
    """When a recovery point is of, when it was proven, and how long it took then until the copy was in service.

    A tuple, as there is one for each of many CRMs.
    """

    at: datetime
    proven_at: datetime | None = None
    measured_rto: timedelta | None = None
