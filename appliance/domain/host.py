"""What a host is: a machine that instances run on, this one or one that is reached over SSH."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any

from appliance.errors import InvalidRequest

LOCALHOST = "localhost"
FLEET = "fleet:all"
"""The subject of an operation on all hosts and instances together."""
SUBJECT_PREFIX = "host:"
"""Begins the subject of an operation on a host itself; no instance's name can hold a colon."""
NAME_PATTERN = re.compile(r"[a-z][a-z0-9]*(-[a-z0-9]+)*")
LONGEST_NAME = 40
ADDRESS_PATTERN = re.compile(r"[A-Za-z0-9]([A-Za-z0-9.-]{0,251}[A-Za-z0-9])?|[0-9A-Fa-f:]{2,39}")
USER_PATTERN = re.compile(r"[a-z_][a-z0-9_-]{0,31}")


class HostState(StrEnum):
    """Where a host stands."""

    ADDED = "added"
    """Its key is known; it was not prepared yet."""
    READY = "ready"
    """It has what instances need."""


@dataclass(frozen=True, kw_only=True)
class HostPolicy:
    """How a managed host is kept beside its instances, as its administrator wants it."""

    firewall: bool = False
    """Only SSH and visitors are let in."""
    time_sync: bool = True
    """The clock is set from the network, unless another program does so already."""
    security_updates: bool = True
    """Debian's security updates, and no others, are installed every day; nothing reboots the host."""

    def __str__(self) -> str:
        """For people."""
        states = {"firewall": self.firewall, "time synchronisation": self.time_sync, "security updates": self.security_updates}
        return ", ".join(f"{name} {'on' if state else 'off'}" for name, state in states.items())


@dataclass(frozen=True, kw_only=True)
class Host:
    """A machine. `host_key` is the public key it was confirmed by (algorithm and base64), None for this machine.

    `facts` are what was seen of it at `seen_at`; `policy` is what was last asked for, or the default.
    """

    name: str
    address: str
    created_at: datetime
    port: int = 22
    user: str = "root"
    host_key: str | None = None
    state: HostState = HostState.ADDED
    facts: Mapping[str, Any] = field(default_factory=dict)
    seen_at: datetime | None = None
    policy: HostPolicy = HostPolicy()

    @property
    def is_local(self) -> bool:
        """Whether it is the machine that the appliance itself runs on."""
        return self.name == LOCALHOST

    @property
    def subject(self) -> str:
        """What operations on the host itself, and its secrets, are filed under."""
        return subject_of(self.name)


def subject_of(name: str) -> str:
    """The subject of operations on the host of that name."""
    return f"{SUBJECT_PREFIX}{name}"


def host_of_subject(subject: str) -> str | None:
    """The host that an operation's subject names, None when it is an instance."""
    return subject.removeprefix(SUBJECT_PREFIX) if subject.startswith(SUBJECT_PREFIX) else None


def title_of(subject: str) -> str:
    """What people call the subject of an operation: an instance by its name, a host as "host web1", all of them as "the fleet"."""
    if subject == FLEET:
        return "the fleet"
    host = host_of_subject(subject)
    return subject if host is None else f"host {host}"


def patch_kind(subject: str) -> str:
    """The kind of operation that patches a subject."""
    if subject == FLEET:
        return "fleet-patch"
    return "patch" if host_of_subject(subject) is None else "host-patch"


def check_host(*, name: str, address: str, port: int, user: str) -> None:
    """Raises InvalidRequest: each of them becomes part of a command line or of a configuration."""
    if name == LOCALHOST or not NAME_PATTERN.fullmatch(name) or len(name) > LONGEST_NAME:
        _refuse(f"{name[:60]!r} cannot name a host: use up to {LONGEST_NAME} small letters, digits and single dashes", "name")
    if not ADDRESS_PATTERN.fullmatch(address):
        _refuse(f"{address[:60]!r} is neither a host name nor an IP address", "address")
    if not 0 < port < 2**16:
        _refuse(f"{port} is not a port", "port")
    if not USER_PATTERN.fullmatch(user):
        _refuse(f"{user[:60]!r} is not the name of a user", "user")


def _refuse(problem: str, field: str) -> None:
    raise InvalidRequest(f"{problem}. Nothing was changed.", field=field)
