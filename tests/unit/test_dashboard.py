"""The Grafana dashboard asks for nothing that is not told."""

import json
import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

from monitoring.clock import open_clock
from monitoring.exporter.collector import ApplianceCollector
from monitoring.exporter.facts import ADOPTION_FIGURES
from monitoring.facts import (
    ACTIVE_USERS,
    ADOPTION,
    CHANNEL_FAILS,
    LAST_ACTIVE,
    LOG_SHIPPED,
    NOTIFICATIONS,
    REBOOT_SINCE,
    SECURITY_SINCE,
    UPDATES,
)
from monitoring.grafana import FILE, dashboard
from monitoring.ledger import Ledger
from monitoring.monitor import Status
from monitoring.rules.table import RULES
from monitoring.targets import Target

PROMETHEUS_OWN = {"ALERTS": {"alertstate", "severity"}}
PROBE = {"kind": "http", "url": "http://127.0.0.1/"}
PROMISED = {"rto_seconds": 600}
FACTS = {"crm": "demo", "product": "sample", "release": "1", "probes": {"ready": PROBE, "deep": PROBE}, "promises": PROMISED}
METRIC = re.compile(r"\b(?P<name>appliance_\w+|ALERTS)\b(\{(?P<where>[^}]*)\})?")
GROUPING = re.compile(r"(?:by|on|without) \(([^)]*)\)")


def queries() -> list[str]:
    panels: list[dict[str, Any]] = json.loads(FILE.read_text())["panels"]
    return [target["expr"] for panel in panels for target in panel.get("targets", [])]


@pytest.fixture(scope="module")
def exported() -> dict[str, set[str]]:
    """The labels of every metric that the exporter tells of a site that has everything."""
    with Ledger(":memory:") as ledger:
        for name, part in ((UPDATES, "security"), (SECURITY_SINCE, ""), (REBOOT_SINCE, ""), (NOTIFICATIONS, "sent"), (CHANNEL_FAILS, "")):
            ledger.tell_facts(name, {("one", part): 1.0})
        for name, part in ((LOG_SHIPPED, "local"), (ACTIVE_USERS, "Sales"), (LAST_ACTIVE, "Sales")):
            ledger.tell_facts(name, {("demo", part): 1.0})
        ledger.tell_facts(ADOPTION, {("demo", figure): 1.0 for figure, _, _ in ADOPTION_FIGURES})
        status = Status(targets=(Target.model_validate(FACTS | {"host": "web1", "through": ["ssh"]}),), certificate_ends={"demo": 1.0})
        families = ApplianceCollector(ledger, status, open_clock()).families()
    return {family.name + suffix: set(family.labels_of(suffix)) for family in families for suffix, _ in family.series}


def test_the_file_is_what_the_table_makes() -> None:
    assert FILE.read_text() == dashboard(), "run: python -m monitoring dashboard"


@pytest.mark.parametrize("query", [*queries(), *(rule.promql() for rule in RULES)])
def test_every_query_asks_for_metrics_and_labels_that_are_told(query: str, exported: dict[str, set[str]]) -> None:
    known = exported | PROMETHEUS_OWN
    asked = list(METRIC.finditer(query))
    labels: set[str] = set()
    for metric in asked:
        assert metric["name"] in known, metric["name"]
        where = set(re.findall(r"(\w+)\s*(?:=~|!=|!~|=)", metric["where"] or ""))
        assert where <= known[metric["name"]], (metric["name"], where)
        labels |= known[metric["name"]]
    assert asked or query == "vector(1)"
    grouped = {label.strip() for group in GROUPING.findall(query) for label in group.split(",")}
    assert grouped <= labels


def test_every_legend_names_labels_that_its_query_gives() -> None:
    panels: list[dict[str, Any]] = [panel for panel in json.loads(FILE.read_text())["panels"] if panel["type"] != "row"]
    for panel in panels:
        (target,) = panel["targets"]
        grouped = [label.strip() for group in GROUPING.findall(target["expr"]) for label in group.split(",")]
        named = re.findall(r"\{\{(\w+)\}\}", target["legendFormat"])
        assert not grouped or set(named) <= set(grouped), panel["title"]


def test_no_two_panels_lie_on_each_other() -> None:
    taken: set[tuple[int, int]] = set()
    for panel in json.loads(FILE.read_text())["panels"]:
        place = panel["gridPos"]
        cells = {(x, y) for x in range(place["x"], place["x"] + place["w"]) for y in range(place["y"], place["y"] + place["h"])}
        assert not cells & taken, panel["title"]
        assert max(x for x, _ in cells) < 24
        taken |= cells


@pytest.mark.skipif(shutil.which("promtool") is None, reason="promtool comes with Debian's prometheus")
def test_prometheus_can_read_every_query(tmp_path: Path) -> None:
    rules = [{"record": f"query_{number}", "expr": query.replace("$crm", ".*")} for number, query in enumerate(queries())]
    file = tmp_path / "queries.yml"
    file.write_text(yaml.safe_dump({"groups": [{"name": "dashboard", "rules": rules}]}))
    checked = subprocess.run(["promtool", "check", "rules", file], capture_output=True, text=True, check=False)
    assert checked.returncode == 0, checked.stdout + checked.stderr
    assert f"{len(rules)} rules found" in checked.stdout
