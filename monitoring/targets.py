"""What the monitor watches: the file that the worker writes and the monitor reads."""

import os
import tempfile
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, field_validator

from monitoring.certificates import Place
from monitoring.checks import DURATION_BOUNDS_SECONDS
from monitoring.durable import sync_directory
from monitoring.probes import Probe


class Promises(BaseModel):
    """What is promised of a CRM: shares of time and of probes, and how old things may become, in seconds.

    A probe that took longer than `latency_seconds` was too slow; the figure is one of the bounds that probes are counted by.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    availability_ratio: float = Field(default=0.995, ge=0.5, lt=1)
    latency_ratio: float = Field(default=0.95, ge=0.5, lt=1)
    latency_seconds: float = 2.0
    rpo_seconds: float = Field(default=26 * 3600, gt=0)
    rto_seconds: float | None = Field(default=None, gt=0)
    backup_interval_seconds: float = Field(default=24 * 3600, gt=0)

    @field_validator("latency_seconds")
    @classmethod
    def _keep_to_a_bound(cls, seconds: float) -> float:
        if seconds not in DURATION_BOUNDS_SECONDS[:-1]:
            raise ValueError(f"must be one of {', '.join(f'{bound:g}' for bound in DURATION_BOUNDS_SECONDS[:-1])}")
        return seconds


class Target(BaseModel):
    """One CRM: its probes by name, and the flag file whose existence means maintenance.

    `host` is where it runs. `tcp`, `tls`, `live` and `ready` decide whether it is up; any other probe that fails makes it degraded. For a
    CRM on another host, `through` is the command that takes probes there: those named in `elsewhere`, and the look at the flag file.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    crm: str = Field(pattern=r"^[a-z][a-z0-9-]{0,39}$")
    product: str
    release: str
    host: str = ""
    interval_seconds: float = Field(default=15, gt=0)
    probes: dict[str, Probe]
    maintenance_flag: Path | None = None
    certificate: Place | None = None
    promises: Promises = Promises()
    through: tuple[str, ...] = ()
    elsewhere: frozenset[str] = frozenset()

    @field_validator("probes", mode="before")
    @classmethod
    def _name_probes(cls, probes: Any) -> Any:
        """A probe's name is its key."""
        if not isinstance(probes, dict):
            return probes
        return {name: {**probe, "name": name} if isinstance(probe, dict) else probe for name, probe in probes.items()}

    @field_validator("probes")
    @classmethod
    def _keep_reserved_names(cls, probes: dict[str, Probe]) -> dict[str, Probe]:
        if "service" in probes:
            raise ValueError("'service' is the CRM as a whole and cannot be the name of a probe")
        return probes


class Targets(BaseModel):
    """The whole file."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    targets: tuple[Target, ...] = ()

    @field_validator("targets")
    @classmethod
    def _name_each_crm_once(cls, targets: tuple[Target, ...]) -> tuple[Target, ...]:
        if len({target.crm for target in targets}) < len(targets):
            raise ValueError("each CRM may occur only once")
        return targets


def read_targets(path: Path) -> Targets:
    """Reads the file. Raises OSError and pydantic.ValidationError."""
    return Targets.model_validate_json(path.read_bytes())


def write_targets(path: Path, targets: Iterable[Target]) -> None:
    """Replaces the file in one step, so that a reader and a power cut see the old or the new one, never half of it."""
    text = Targets(targets=tuple(targets)).model_dump_json(indent=2)
    descriptor, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    try:
        with os.fdopen(descriptor, "w", encoding="utf-8") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        Path(name).replace(path)
    finally:
        with suppress(FileNotFoundError):
            Path(name).unlink()
    sync_directory(path.parent)
