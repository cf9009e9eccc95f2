"""Run checks side by side: the source's in the background, the tests in front; pytest's closing line stays for the end."""

import json
import os
import re
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

LANES = ("-p", "groundwork.lanes", "-n", "auto", "--maxprocesses", "4", "--no-loadscope-reorder")
CLOSING_LINE = re.compile(r"(=+ )?.*(passed|failed|errors?|skipped|deselected|no tests ran)\b.* in [\d.]+s\b.*")


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """How a part went, and what it said."""

    name: str
    passed: bool
    seconds: float
    output: str = ""


@dataclass
class SourceCheck:
    """A part of the source (lint, types) that runs in a thread of its own."""

    name: str
    commands: Sequence[Sequence[str]]
    tree: Path
    environment: Mapping[str, str]
    _outcome: Outcome | None = field(default=None, init=False)
    _thread: threading.Thread = field(init=False)

    def __post_init__(self) -> None:
        """Start at once."""
        self._thread = threading.Thread(target=self._run)
        self._thread.start()

    def result(self) -> Outcome:
        """Wait for its end."""
        self._thread.join()
        return self._outcome or Outcome(name=self.name, passed=False, seconds=0, output="It could not be started.\n")

    def _run(self) -> None:
        began = time.monotonic()
        output, passed = "", True
        for command in self.commands:
            ended = subprocess.run(
                command, cwd=self.tree, env=self.environment, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False
            )
            output += f"$ {Path(command[0]).name} {' '.join(command[1:])}\n{ended.stdout}{ended.stderr}"
            passed = passed and ended.returncode == 0
        self._outcome = Outcome(name=self.name, passed=passed, seconds=time.monotonic() - began, output=output)


@dataclass(frozen=True, kw_only=True)
class TestRun:
    """What pytest said last, its exit code, and the seconds per folder of tests."""

    code: int
    closing_line: str
    seconds_by_folder: Mapping[str, float]


def run_tests(python: Path, folders: Sequence[str], arguments: Sequence[str], tree: Path, environment: Mapping[str, str]) -> TestRun:
    """Run pytest over `folders`, several lanes at once, and show its output but for the closing line."""
    with tempfile.NamedTemporaryFile(prefix="part-times-") as times:
        argv = [str(python), "-m", "pytest", "-p", "groundwork.part_times", *LANES, *folders, *arguments]
        variables = {**environment, "PYTHONPATH": str(tree / "bin"), "GROUNDWORK_PART_TIMES": times.name, "PYTHONUNBUFFERED": "1"}
        process = subprocess.Popen(
            argv, cwd=tree, env=variables, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
        )
        assert process.stdout is not None  # noqa: S101  (it was asked for as a pipe)
        closing_line = show_all_but_the_closing_line(process.stdout)
        code = process.wait()
        written = Path(times.name).read_text()
    return TestRun(code=code, closing_line=closing_line, seconds_by_folder=json.loads(written) if written else {})


def show_all_but_the_closing_line(lines: Iterable[str]) -> str:
    """Print what pytest says and return its closing line; the interpreter may say more after it when it ends."""
    closing_line = ""
    for line in lines:
        if CLOSING_LINE.fullmatch(line.rstrip(os.linesep)):
            sys.stdout.write(closing_line and closing_line + os.linesep)
            closing_line = line.rstrip(os.linesep)
        else:
            sys.stdout.write(line)
        sys.stdout.flush()
    return closing_line
