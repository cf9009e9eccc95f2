"""What every kind of probe has in common."""

import re
from dataclasses import dataclass
from typing import Annotated, ClassVar

from pydantic import AfterValidator, BaseModel, ConfigDict, Field

DETAIL_LIMIT = 160
SHOWN_VALUE_LIMIT = 40

Scalar = str | int | float | bool | None


@dataclass(frozen=True, kw_only=True)
class Result:
    """What one check found. `detail` is one short line for people: no secret, no body of an answer, no address."""

    healthy: bool
    detail: str


class ProbeBase(BaseModel):
    """The fields that every kind has. `interval_seconds` lets a costly probe run less often than its target asks for.

    A failure is confirmed by a second probe `confirm_after_seconds` later: soon enough to alert, late enough to outlast a reload.

    A kind that `is_light` only waits for a server, so that a thousand at the same moment burden nobody.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")
    is_light: ClassVar[bool] = False

    name: str = Field(min_length=1, max_length=60)
    kind: str
    timeout_seconds: float = Field(default=10, gt=0, le=600)
    interval_seconds: float | None = Field(default=None, gt=0)
    confirm_after_seconds: float = Field(default=2, ge=0, le=60)


def healthy(detail: str) -> Result:
    """Everything that was asked for was found."""
    return Result(healthy=True, detail=one_line(detail))


def unhealthy(detail: str) -> Result:
    """Something was missing or different."""
    return Result(healthy=False, detail=one_line(detail))


def one_line(text: str, limit: int = DETAIL_LIMIT) -> str:
    """Printable text of at most `limit` characters on one line."""
    line = " ".join("".join(character if character.isprintable() else " " for character in text).split())
    return line if len(line) <= limit else line[: limit - 1] + "…"


def same_value(found: object, expected: object) -> bool:
    """Whether a database or an RPC answered what a definition written by hand in YAML expects: 0 equals "0"."""
    return found == expected or written(found) == written(expected)


def written(value: object) -> str:
    """A value as one would write it in a definition."""
    return str(value).lower() if isinstance(value, bool) else str(value)


def difference(found: object, expected: object) -> str:
    """Names both values, each cut short."""
    wanted, got = (one_line(written(value), SHOWN_VALUE_LIMIT) for value in (expected, found))
    return f"expected {wanted}, found {got}"


def _compilable(pattern: str) -> str:
    try:
        re.compile(pattern)
    except re.error as error:
        raise ValueError(f"not a regular expression: {error}") from error
    return pattern


Pattern = Annotated[str, AfterValidator(_compilable)]
