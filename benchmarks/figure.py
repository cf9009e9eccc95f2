"""What a measure is, and the figure that comes out of it."""

import json
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field

DIGITS = 3

Say = Callable[[str], None]
"""Tells the person at the terminal what is going on; never part of the result."""


class MeasureFailed(Exception):
    """A measure gave no figure: the message says what happened and what to do."""


@dataclass(frozen=True, kw_only=True)
class Taken:
    """What was measured: ours and the reference in the measure's unit, and in a sentence how they were got."""

    ours: float
    reference: float
    note: str
    parts: Mapping[str, float] = field(default_factory=dict)
    """What ours is made of, by name, where that is known; in the measure's unit."""


@dataclass(frozen=True, kw_only=True)
class Measure:
    """One comparison. `goal` is the largest ratio of ours to the reference that is good enough; less is better in every unit."""

    name: str
    title: str
    unit: str
    goal: float
    rounds: int
    """How often each side is measured, unless told otherwise."""
    take: Callable[[int, Say], Taken]
    """Measures that many rounds; raises MeasureFailed. What it starts has ended when it returns or raises."""


@dataclass(frozen=True, kw_only=True)
class Figure:
    """The result of a measure, in the form that every figure of this project has."""

    measure: str
    ours: float
    reference: float
    ratio: float
    goal: float
    reached: bool
    unit: str
    note: str
    parts: Mapping[str, float]

    def as_json(self) -> str:
        """One object on one line."""
        fields = asdict(self)
        if not self.parts:
            del fields["parts"]
        return json.dumps(fields)

    def as_line(self) -> str:
        """Say the same for a person."""
        verdict = "reached" if self.reached else "MISSED"
        return (
            f"{self.measure}: {self.ours:g} {self.unit}, reference {self.reference:g} {self.unit}; "
            f"ratio {self.ratio:g}, goal {self.goal:g}: {verdict}\n    {self.note}"
        )


def figure_of(measure: Measure, taken: Taken) -> Figure:
    """Compare; the goal is judged before anything is rounded. Raises MeasureFailed for a reference that cannot be compared with."""
    if taken.reference <= 0:
        raise MeasureFailed(f"The reference of {measure.name} is {taken.reference:g} {measure.unit}; nothing can be compared with that.")
    ratio = taken.ours / taken.reference
    return Figure(
        measure=measure.name,
        ours=round(taken.ours, DIGITS),
        reference=round(taken.reference, DIGITS),
        ratio=round(ratio, DIGITS),
        goal=measure.goal,
        reached=ratio <= measure.goal,
        unit=measure.unit,
        note=taken.note,
        parts=dict(taken.parts),
    )
