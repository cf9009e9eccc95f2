"""What the API takes and gives about hosts."""

from collections.abc import Sequence
from datetime import datetime
from typing import Annotated, Any, Self

from pydantic import Field, SecretStr, StrictBool

from appliance.domain.host import LONGEST_NAME, Host, HostState
from appliance.hosts.host_keys import fingerprint
from appliance.web.api.bodies import Body

Fingerprint = Annotated[str, Field(max_length=64, description="As `ssh-keygen -lf` prints it: SHA256:…")]


class PolicyBody(Body):
    """How a managed host is kept beside its CRMs."""

    firewall: bool
    time_sync: bool
    security_updates: bool


class HostBody(Body):
    """A machine that CRMs run on; `facts` are what was seen of it at `seen_at`. Key and policy are null for the appliance's own machine."""

    name: str
    address: str
    port: int
    user: str
    state: HostState
    fingerprint: str | None
    policy: PolicyBody | None
    instances: list[str]
    facts: dict[str, Any]
    seen_at: datetime | None
    created_at: datetime

    @classmethod
    def of(cls, host: Host, instances: Sequence[str]) -> Self:
        """With the names of the CRMs on it."""
        known = {name: getattr(host, name) for name in ("name", "address", "port", "user", "state", "seen_at", "created_at")}
        return cls(
            **known,
            fingerprint=fingerprint(host.host_key) if host.host_key else None,
            policy=None if host.is_local else PolicyBody.model_validate(host.policy),
            instances=list(instances),
            facts=dict(host.facts),
        )


class MachineBody(Body):
    """Where a machine is reached."""

    name: Annotated[str, Field(max_length=LONGEST_NAME, description="What the host is to be called here")]
    address: Annotated[str, Field(max_length=253, description="Host name or IP address")]
    port: int = 22
    user: Annotated[str, Field(max_length=32, description="Unless it is root, it needs sudo without a password")] = "root"


class ShownKeyBody(Body):
    """The key that a machine shows, which is to be compared on the machine itself before it is trusted."""

    host_key: str
    fingerprint: str


class NewHostBody(MachineBody):
    """A machine to add. Without a private key of its own it is logged in to with the appliance's."""

    fingerprint: Fingerprint
    private_key: Annotated[SecretStr | None, Field(max_length=16_384, description="In OpenSSH's format; kept encrypted")] = None


class TrustBody(Body):
    """The key that a host is expected to show from now on."""

    fingerprint: Fingerprint


class StackBody(Body):
    """The monitoring stack of a host: whether it is `wanted`; `purge` lets what was measured go with it.

    `dead_man` names a heartbeat channel that is told all the time that alerts get through, "" none; null leaves it as it was.
    """

    wanted: StrictBool = True
    purge: StrictBool = False
    dead_man: str | None = None


class PolicyChangeBody(Body):
    """What is to be different about the policy from now on; what is null stays as it was."""

    firewall: StrictBool | None = None
    time_sync: StrictBool | None = None
    security_updates: StrictBool | None = None
