"""Scenarios that wait more than they work: each has an appliance and hosts of its own, so several are played side by side."""

import traceback
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from typing import Any

from tests.hosts import layers
from tests.hosts.layers import Golden
from tests.hosts.world import World, a_world
from tests.lab.host import LabHost
from tests.lab.lab import Lab, Lending


@dataclass(frozen=True, kw_only=True)
class Stage:
    """What a scenario is given; all of it ends with the scenario."""

    lab: Lab
    lending: Lending
    stack: ExitStack

    def crm(self, release: str = "bookworm") -> Golden:
        """A host with a CRM that is full of records."""
        return layers.with_crm(self.lab, release)

    def prepared(self, release: str = "bookworm") -> Golden:
        """A prepared host."""
        return layers.prepared(self.lab, release)

    def open(self, golden: Golden, *, disk_bytes: int | None = None, **settings: Any) -> World:
        """An appliance whose host `web1` has just booted from a golden layer; with `disk_bytes`, on a disk of that size."""
        world = self.stack.enter_context(a_world(golden.home, **settings))
        world.meet(self.host(golden, disk_bytes=disk_bytes))
        return world

    def host(self, golden: Golden, *, disk_bytes: int | None = None) -> LabHost:
        """Another host that has just booted from a golden layer."""
        return self.lending(golden.layers.release, golden=golden.layers, disk_bytes=disk_bytes)


Scenario = Callable[[Stage], None]


@contextmanager
def a_stage(lab: Lab) -> Iterator[Stage]:
    """For the length of a block."""
    with lab.lending() as lending, ExitStack() as stack:
        yield Stage(lab=lab, lending=lending, stack=stack)


def play(lab: Lab, scenario: Scenario) -> None:
    """One scenario, to its end."""
    with a_stage(lab) as stage:
        scenario(stage)


def told(failure: BaseException | None) -> str:
    """Where in its scenario an assertion failed, for the test that asks how the scenario ended."""
    return "" if failure is None else "".join(traceback.format_exception(failure))
