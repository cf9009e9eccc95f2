"""Hosts of the lab, which the measures of hosts are taken on."""

from collections.abc import Iterator
from contextlib import contextmanager

from appliance.domain.operation import Operation, OperationStatus
from benchmarks.figure import MeasureFailed
from tests.lab.ability import NoLab
from tests.lab.lab import Lab


@contextmanager
def own_lab() -> Iterator[Lab]:
    """A lab for the length of a block; raises MeasureFailed where there can be none."""
    try:
        lab = Lab.open()
    except NoLab as refusal:
        raise MeasureFailed(f"There can be no lab of hosts on this machine: {refusal}. Nothing was changed.") from None
    try:
        yield lab
    finally:
        lab.close()


def require_success(ended: Operation) -> None:
    """Raises MeasureFailed: what was not done cannot be measured."""
    if ended.status != OperationStatus.SUCCEEDED:
        raise MeasureFailed(f"{ended.kind} of {ended.instance} ended as {ended.status.value}: {ended.cause}")
