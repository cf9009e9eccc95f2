"""The lines that `appliance up` prints, numbered on from where `bin/up` stopped."""

import os
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TextIO


@dataclass(kw_only=True)
class Progress:
    """Announces the steps `first` to `total`; a step may have lines of its own below it."""

    total: int
    first: int = 1
    stream: TextIO = field(default_factory=lambda: sys.stdout)
    clock: Callable[[], float] = time.monotonic
    title: str = field(default="", init=False)
    number: int = field(default=0, init=False)
    _line_is_open: bool = field(default=False, init=False)

    def __post_init__(self) -> None:
        """Begin before the first step."""
        self.number = self.first - 1

    @contextmanager
    def step(self, title: str) -> Iterator[None]:
        """Announce a step and, when it ends, how many seconds it took."""
        began = self.clock()
        self._announce(title)
        try:
            yield
        except BaseException:
            self._close("failed")
            raise
        self._close(f"{self.clock() - began:.0f} s")

    def skip(self, title: str) -> None:
        """Announce a step that has nothing to do."""
        self._announce(title)
        self._close("as before")

    def below(self, text: str) -> None:
        """Print a line below the step."""
        self._end_line()
        self._say(f"        {text}\n")

    def say(self, text: str) -> None:
        """Print a line that belongs to no step."""
        self._end_line()
        self._say(f"{text}\n")

    def _announce(self, title: str) -> None:
        self.number += 1
        self.title = title
        self._say(f"[{self.number:2}/{self.total}] {title} … ")
        self._line_is_open = True

    def _close(self, result: str) -> None:
        self._say(f"{result}\n" if self._line_is_open else f"        {result}\n")
        self._line_is_open = False

    def _end_line(self) -> None:
        if self._line_is_open:
            self._say("\n")
            self._line_is_open = False

    def _say(self, text: str) -> None:
        self.stream.write(text)
        self.stream.flush()


def continued(environment: Mapping[str, str] | None = None, *, steps: int) -> Progress:
    """Give the progress that goes on from the step that `bin/up` reached, or begins with 1 when `appliance up` was called by itself."""
    environment = os.environ if environment is None else environment
    first = int(environment.get("APPLIANCE_FIRST_STEP", "1"))
    return Progress(first=first, total=first + steps - 1)
