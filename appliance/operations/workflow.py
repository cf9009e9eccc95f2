"""The shape of a workflow: named steps, each safe to repeat, some with a way to take them back."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from appliance.domain.operation import OperationStatus
from appliance.operations.run import Run
from appliance.wiring import Appliance

Action = Callable[[Run], str | None]
"""Brings a step to its end state and proves it; may return a sentence about what it found. Called again after a crash."""


class Done(str):
    """Returned by a step instead of a plain sentence: the end is reached already, and the steps after it are skipped."""

    __slots__ = ()


@dataclass(frozen=True, kw_only=True)
class StepDefinition:
    """One step. Before a step that is not `cancellable` the last safe point to stop has passed."""

    name: str
    title: str
    run: Action
    undo: Action | None = None
    cancellable: bool = True


@dataclass(frozen=True, kw_only=True)
class Workflow:
    """A kind of operation.

    `accept` validates the parameters, refuses what can be refused at once and gives the full parameters back;
    it changes nothing and raises InvalidRequest, NotFound, Conflict or PreflightFailed.
    `undone` is how an operation ends that failed and took back what it had begun: an upgrade rolled back to what was before,
    a drill has just failed. `secrets` are the parameters that are kept in the vault and never recorded.
    """

    kind: str
    accept: Callable[[Appliance, str, Mapping[str, Any]], dict[str, Any]]
    steps: tuple[StepDefinition, ...]
    undone: OperationStatus = OperationStatus.ROLLED_BACK
    secrets: tuple[str, ...] = ()


Workflows = Mapping[str, Workflow]
