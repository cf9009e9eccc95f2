"""Commands as the runbooks tell them, so that a test types what an administrator would."""

import re
from collections.abc import Mapping
from pathlib import Path

RUNBOOKS = Path(__file__).resolve().parents[2] / "docs" / "runbooks"


def commands_in(runbook: str, heading: str, words: Mapping[str, str]) -> list[str]:
    """The lines of the first block of commands below a heading, without their comments; `words` take the place of those in capitals."""
    _, found, below = (RUNBOOKS / runbook).read_text().partition(f"\n## {heading}\n")
    assert found, f"{runbook} has no heading {heading!r}"
    block = below.partition("```bash\n")[2].partition("```")[0]
    lines = [line.partition(" #")[0].strip() for line in block.splitlines()]
    commands = [line for line in lines if line]
    assert commands, f"{runbook} has no commands below {heading!r}"
    return [re.sub(r"\b[A-Z]+\b", lambda found: words.get(found[0], found[0]), command) for command in commands]
