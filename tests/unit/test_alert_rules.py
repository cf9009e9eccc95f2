"""Each alert rule: what Prometheus makes of it and what the appliance makes of it by itself are the same, over one course of things."""

import re
import shutil
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path

import pytest
import yaml

from monitoring.exporter.families import gauge
from monitoring.rules.prometheus import DIRECTORY, files
from monitoring.rules.rule import RUNBOOK, Rule, told
from monitoring.rules.series import Labels, Snapshot, View
from monitoring.rules.standing import Alert, Key, Stand, follow
from monitoring.rules.table import RULES
from monitoring.uptime import State, Uptime
from tests.support.rule_courses.course import Course
from tests.support.rule_courses.every import COURSES

TREE = Path(__file__).resolve().parents[2]
BY_NAME = {rule.name: rule for rule in RULES}
needs_promtool = pytest.mark.skipif(shutil.which("promtool") is None, reason="promtool comes with Debian's prometheus")


def test_the_files_for_prometheus_are_those_that_the_table_makes() -> None:
    written = {file.name: file.read_text() for file in DIRECTORY.glob("*.yml")}
    assert written == files(), "run: python -m monitoring rules"


def test_each_rule_has_a_name_of_its_own_and_a_section_that_says_what_to_do() -> None:
    headings = {heading.lower() for heading in re.findall(r"^## (\w+)$", (TREE / RUNBOOK).read_text(), re.MULTILINE)}
    assert len(BY_NAME) == len(RULES)
    assert {rule.runbook.partition("#")[2] for rule in RULES} == headings


def test_each_rule_has_its_course() -> None:
    assert {course.rule for course in COURSES} == set(BY_NAME)


def test_no_text_names_a_label_that_the_alert_does_not_have() -> None:
    labels = {course.rule: course.labels for course in COURSES if course.fires}
    left = {rule.name: told(f"{rule.summary} {rule.description}", labels[rule.name]) for rule in RULES}
    assert not [text for text in left.values() if re.search(r"\{\w+\}", text)]


@needs_promtool
def test_promtool_finds_no_fault_in_the_rules() -> None:
    checked = subprocess.run(["promtool", "check", "rules", *DIRECTORY.glob("*.yml")], capture_output=True, text=True, check=False)
    assert (checked.returncode, checked.stderr) == (0, "")
    assert checked.stdout.count("SUCCESS") == len(files())


@needs_promtool
@pytest.mark.parametrize("course", COURSES, ids=lambda course: course.name)
def test_prometheus_fires_when_it_should_and_only_then(course: Course, tmp_path: Path) -> None:
    told_to_promtool = {
        "rule_files": [str(file) for file in DIRECTORY.glob("*.yml")],
        "evaluation_interval": f"{course.step_seconds}s",
        "tests": [
            {
                "interval": f"{course.step_seconds}s",
                "input_series": [{"series": name, "values": " ".join(map(repr, values))} for name, values in course.series.items()],
                "alert_rule_test": [expectation(course, at, fires=True) for at in course.fires]
                + [expectation(course, at, fires=False) for at in course.silent],
            }
        ],
    }
    file = tmp_path / "course.yml"
    file.write_text(yaml.safe_dump(told_to_promtool, width=10**9))
    done = subprocess.run(["promtool", "test", "rules", file], capture_output=True, text=True, check=False, timeout=60)
    assert done.returncode == 0, done.stdout + done.stderr


def expectation(course: Course, at: int, *, fires: bool) -> dict[str, object]:
    rule = BY_NAME[course.rule]
    alert = {
        "exp_labels": {"severity": rule.severity.value, **course.labels},
        "exp_annotations": {
            "summary": told(rule.summary, course.labels),
            "description": told(rule.description, course.labels),
            "runbook": rule.runbook,
        },
    }
    return {"eval_time": f"{at}s", "alertname": course.rule, "exp_alerts": [alert] if fires else []}


@pytest.mark.parametrize("course", COURSES, ids=lambda course: course.name)
def test_the_appliance_fires_when_prometheus_does(course: Course) -> None:
    firing = firing_by_itself(BY_NAME[course.rule], course)
    expected = {tuple(sorted(course.labels.items()))}
    assert [firing[at] for at in course.fires] == [expected] * len(course.fires)
    assert [firing[at] for at in course.silent] == [set()] * len(course.silent)


def firing_by_itself(rule: Rule, course: Course) -> dict[int, set[Labels]]:
    """What fires at each step, evaluated one after the other as the monitor does."""
    alerts: dict[Key, Alert] = {}
    firing: dict[int, set[Labels]] = {}
    for at in range(0, max((*course.fires, *course.silent)) + 1, course.step_seconds):
        view = View(snapshot=snapshot_at(course, at), past=CoursePast(course, at), now=float(at))
        now, _ = follow(rule, alerts, rule.holds_for(view), at_ms=at * 1000, at=float(at))
        alerts = {alert.key: alert for alert in now}
        firing[at] = {alert.labels for alert in now if alert.stand is Stand.FIRING}
    return firing


def snapshot_at(course: Course, at: int) -> Snapshot:
    families = []
    for series, values in course.series.items():
        name, labels = parsed(series)
        if at // course.step_seconds < len(values):
            family = gauge(name, "", tuple(label for label, _ in labels))
            family.add(tuple(value for _, value in labels), values[at // course.step_seconds])
            families.append(family)
    return Snapshot(families)


def parsed(series: str) -> tuple[str, Labels]:
    name, _, rest = series.partition("{")
    return name, tuple(sorted(re.findall(r'(\w+)="([^"]*)"', rest)))


@dataclass
class CoursePast:
    """The course of things until a moment."""

    course: Course
    at: int
    known: dict[tuple[str, Labels], Sequence[float]] = field(init=False)

    def __post_init__(self) -> None:
        self.known = {parsed(series): values for series, values in self.course.series.items()}

    def points(self, name: str, labels: Labels, window: timedelta) -> list[tuple[float, float]]:
        step = self.course.step_seconds
        first = max(0, self.at - int(window.total_seconds())) // step
        return [
            (index * step - self.at, value) for index, value in enumerate(self.known[name, labels][: self.at // step]) if index >= first
        ]

    def began(self, name: str, labels: Labels, window: timedelta) -> float | None:
        now, first = (seconds // self.course.step_seconds for seconds in (self.at, max(0, self.at - int(window.total_seconds()))))
        return self.known[name, labels][first] if first < now else None

    def uptime(self, crm: str, window: timedelta) -> Uptime:
        return Uptime(**{f"{state}_seconds": self._spent(crm, state, window) for state in State})

    def _spent(self, crm: str, state: State, window: timedelta) -> float:
        labels = (("crm", crm), ("state", state.value), ("target", "service"))
        values = self.known.get(("appliance_probe_state_seconds_total", labels))
        if values is None:
            return 0.0
        now = self.at // self.course.step_seconds
        return values[now] - values[max(0, now - int(window.total_seconds()) // self.course.step_seconds)]
