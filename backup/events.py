"""What a run tells its caller while it works: JSON lines for programs, sentences for a person at a terminal."""

import json
import sys
from dataclasses import dataclass, field
from typing import Protocol, TextIO

from pydantic import JsonValue

HUNDRED_PERCENT = 100


class Reporter(Protocol):
    """Takes what happens during a run."""

    def log(self, text: str) -> None:
        """Tell one line of what happens."""

    def progress(self, stage: str, *, bytes_done: int, bytes_total: int | None) -> None:
        """Tell how far a stage is, in bytes; the total may be unknown or an estimate."""

    def finish(self, event: str, facts: dict[str, JsonValue]) -> None:
        """Tell the end: `result` or `error`, with its facts."""


def percent_of(bytes_done: int, bytes_total: int | None) -> float | None:
    """Say how much of the total is done, 0 to 100, or None when nobody knows the total.

    >>> percent_of(1, 4), percent_of(5, 4), percent_of(5, None)
    (25.0, 100, None)
    """
    if not bytes_total:
        return None
    return round(min(HUNDRED_PERCENT, HUNDRED_PERCENT * bytes_done / bytes_total), 1)


@dataclass(frozen=True, kw_only=True)
class JsonLines:
    """One JSON object a line, flushed at once."""

    stream: TextIO = field(default_factory=lambda: sys.stdout)

    def log(self, text: str) -> None:
        """Write a log event."""
        self._write({"event": "log", "text": text})

    def progress(self, stage: str, *, bytes_done: int, bytes_total: int | None) -> None:
        """Write a progress event."""
        percent = percent_of(bytes_done, bytes_total)
        self._write({"event": "progress", "stage": stage, "percent": percent, "bytes_done": bytes_done, "bytes_total": bytes_total})

    def finish(self, event: str, facts: dict[str, JsonValue]) -> None:
        """Write the last event."""
        self._write({"event": event, **facts})

    def _write(self, event: dict[str, JsonValue]) -> None:
        self.stream.write(json.dumps(event, ensure_ascii=True) + "\n")
        self.stream.flush()


@dataclass(frozen=True, kw_only=True)
class Terminal:
    """Lines for a person; the result is shown by the verb's own table."""

    stream: TextIO = field(default_factory=lambda: sys.stderr)

    def log(self, text: str) -> None:
        """Write the line."""
        self.stream.write(f"\r\x1b[K{text}\n")
        self.stream.flush()

    def progress(self, stage: str, *, bytes_done: int, bytes_total: int | None) -> None:
        """Rewrite one line with the figures of the stage."""
        percent = percent_of(bytes_done, bytes_total)
        share = "" if percent is None else f" {percent:5.1f} %"
        self.stream.write(f"\r\x1b[K{stage}{share} {bytes_done / 1e6:.1f} MB")
        self.stream.flush()

    def finish(self, event: str, facts: dict[str, JsonValue]) -> None:
        """End with the error's sentence; results are printed by the caller."""
        self.stream.write("\r\x1b[K")
        if event == "error":
            self.stream.write(f"Error ({facts['code']}): {facts['message']}\n")
        self.stream.flush()
