"""The rules about what only Prometheus sees fire when they should and only then, and each says what to do."""

import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

from monitoring.rules.prometheus import STACK_FILE
from monitoring.rules.table import RULES

TREE = Path(__file__).resolve().parents[2]
RUNBOOK = "docs/runbooks/monitoring-stack.md"
RULES_OF_STACK = {rule["alert"]: rule for rule in yaml.safe_load(STACK_FILE.read_text())["groups"][0]["rules"]}
COURSES: dict[str, tuple[dict[str, str], list[tuple[int, bool]], dict[str, str]]] = {
    # alert: what is measured each minute, when it is looked at in minutes and whether it fires then, the labels of the alert
    "HostDown": (
        {'probe_success{job="host",host="web1"}': "1x10 0x10 1x5", 'probe_success{job="host",host="away"}': "0x25"},
        [(10, False), (12, False), (14, True), (22, False)],
        {"host": "web1", "job": "host"},
    ),
    "CrmUnreachable": (
        {
            'probe_success{job="crm",crm="sales",host="web1"}': "1x5 0x10 1x5",
            'probe_success{job="crm_own_authority",crm="demo",host="web1"}': "0x20",
            'appliance_crm_maintenance{crm="demo"}': "1x20",
        },
        [(6, False), (10, True), (17, False)],
        {"crm": "sales", "host": "web1"},
    ),
    "ScrapeFailing": (
        {'up{job="node",instance="127.0.0.1:9100",host="web1"}': "1x5 0x10 1x5", 'up{job="appliance"}': "0x20"},
        [(7, False), (12, True), (17, False)],
        {"job": "node", "instance": "127.0.0.1:9100", "host": "web1"},
    ),
    "DatabaseUnseen": (
        {
            'pg_up{job="postgres",instance="127.0.0.1:9187",host="web1"}': "1x5 0x10 1x15",
            'pg_exporter_last_scrape_error{job="postgres",instance="127.0.0.1:9187",host="web1"}': "0x20 1x10",
        },
        [(7, False), (12, True), (17, False), (27, True)],
        {"job": "postgres", "instance": "127.0.0.1:9187", "host": "web1"},
    ),
    "AlertsNotDelivered": (
        {'alertmanager_notifications_failed_total{integration="email"}': "0x10 1+1x10 11x30"},
        [(9, False), (18, True), (45, False)],
        {"integration": "email"},
    ),
}
needs_promtool = pytest.mark.skipif(shutil.which("promtool") is None, reason="promtool comes with Debian's prometheus")


def test_each_rule_has_its_course_its_section_and_a_name_of_its_own() -> None:
    headings = set(re.findall(r"^## (\w+)$", (TREE / RUNBOOK).read_text(), re.MULTILINE))
    assert set(RULES_OF_STACK) == set(COURSES) == headings
    assert not set(RULES_OF_STACK) & {rule.name for rule in RULES}
    assert {rule["annotations"]["runbook"] for rule in RULES_OF_STACK.values()} == {f"{RUNBOOK}#{name.lower()}" for name in RULES_OF_STACK}


@needs_promtool
@pytest.mark.parametrize("name", sorted(RULES_OF_STACK))
def test_prometheus_fires_when_it_should_and_only_then(name: str, tmp_path: Path) -> None:
    series, looks, labels = COURSES[name]
    told = {
        "rule_files": [str(STACK_FILE)],
        "evaluation_interval": "1m",
        "tests": [
            {
                "interval": "1m",
                "input_series": [{"series": one, "values": values} for one, values in series.items()],
                "alert_rule_test": [expectation(name, labels, minute, fires=fires) for minute, fires in looks],
            }
        ],
    }
    file = tmp_path / "course.yml"
    file.write_text(yaml.safe_dump(told, width=10**9))
    done = subprocess.run(["promtool", "test", "rules", file], capture_output=True, text=True, check=False, timeout=60)
    assert done.returncode == 0, done.stdout + done.stderr


def expectation(name: str, labels: dict[str, str], minute: int, *, fires: bool) -> dict[str, Any]:
    rule = RULES_OF_STACK[name]
    annotations = {
        title: re.sub(r"{{ \$labels\.(\w+) }}", lambda found: labels[found[1]], text) for title, text in rule["annotations"].items()
    }
    alert = {"exp_labels": {**rule["labels"], **labels}, "exp_annotations": annotations}
    return {"eval_time": f"{minute}m", "alertname": name, "exp_alerts": [alert] if fires else []}
