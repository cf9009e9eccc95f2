"""The rules as files for Prometheus: one for each group, written anew by `python -m monitoring rules`."""

import re
from collections.abc import Iterable, Sequence
from pathlib import Path
from string import Template

from monitoring.rules.rule import Rule
from monitoring.rules.series import span
from monitoring.rules.table import GROUPS

DIRECTORY = Path(__file__).resolve().parent.parent / "prometheus" / "rules"
STACK_FILE = DIRECTORY.parent / "stack.yml"
"""Rules about what only Prometheus itself sees: the stack, and CRMs and hosts as they are seen from its machine."""
HEAD = "# Written from monitoring/rules/table.py by `python -m monitoring rules`; change it there.\n"
ALERT = Template("""      - alert: $name
        expr: $expression
        for: $lasting
        labels:
          severity: $severity
        annotations:
          summary: $summary
          description: $description
          runbook: $runbook
""")
LABEL = re.compile(r"\{(\w+)\}")


def files() -> dict[str, str]:
    """What each file holds, by its name."""
    return {f"{group}.yml": _file(group, rules) for group, rules in GROUPS.items()}


def write(directory: Path) -> list[Path]:
    """Write all files and give their paths. Raises OSError."""
    written = []
    for name, text in files().items():
        (directory / name).write_text(text, encoding="utf-8")
        written.append(directory / name)
    return written


def _file(group: str, rules: Sequence[Rule]) -> str:
    return "".join([HEAD, f"groups:\n  - name: {group}\n    rules:\n", *_alerts(rules)])


def _alerts(rules: Iterable[Rule]) -> Iterable[str]:
    for rule in rules:
        yield ALERT.substitute(
            name=rule.name,
            expression=_quoted(rule.promql()),
            lasting=span(rule.lasting),
            severity=rule.severity,
            summary=_quoted(_in_go(rule.summary)),
            description=_quoted(_in_go(rule.description)),
            runbook=_quoted(rule.runbook),
        )


def _in_go(text: str) -> str:
    """Labels as Prometheus's templates name them.

    >>> _in_go("{crm} is down")
    '{{ $labels.crm }} is down'
    """
    return LABEL.sub(r"{{ $labels.\1 }}", text)


def _quoted(text: str) -> str:
    """For YAML, where a single quote is written twice."""
    return "'" + text.replace("'", "''") + "'"
