"""The kinds of probes: one module each, found by themselves.

A kind is a module here with a `Probe` model whose `kind` is a literal, and an `async def check(probe) -> Result`.
To add one, add the module and its test; nothing else has to know.
"""

import asyncio
import importlib
import pkgutil
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Any, Union

from pydantic import Field

from monitoring.probes.base import ProbeBase, Result, unhealthy

__all__ = ["KINDS", "CheckedProbe", "Kind", "Probe", "ProbeBase", "Result", "run_probe"]


@dataclass(frozen=True, kw_only=True)
class Kind:
    """One kind of probe: how it is described, and how it is carried out."""

    name: str
    model: type[ProbeBase]
    check: Callable[[Any], Awaitable[Result]]


@dataclass(frozen=True, kw_only=True)
class CheckedProbe:
    """What one probe found, and how long it took."""

    name: str
    healthy: bool
    detail: str
    duration_seconds: float


def _find_kinds() -> dict[str, Kind]:
    modules = [importlib.import_module(f"{__name__}.{found.name}") for found in pkgutil.iter_modules(__path__)]
    kinds = [(module.__name__.rpartition(".")[2], module) for module in modules if hasattr(module, "check")]
    return {name: Kind(name=name, model=module.Probe, check=module.check) for name, module in kinds}


KINDS = _find_kinds()

if TYPE_CHECKING:
    Probe = ProbeBase
else:
    Probe = Annotated[Union[tuple(kind.model for kind in KINDS.values())], Field(discriminator="kind")]  # noqa: UP007 - built at run time


async def run_probe(probe: ProbeBase) -> CheckedProbe:
    """Carries a probe out within its `timeout_seconds`. An unhealthy CRM is a result, never an exception."""
    started = time.monotonic()
    try:
        async with asyncio.timeout(probe.timeout_seconds):
            result = await KINDS[probe.kind].check(probe)
    except TimeoutError:
        result = unhealthy(f"no result within {probe.timeout_seconds:g} s")
    duration = time.monotonic() - started
    return CheckedProbe(name=probe.name, healthy=result.healthy, detail=result.detail, duration_seconds=round(duration, 6))
