"""The Grafana dashboard: written from a table of panels by `python -m monitoring dashboard`."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

FILE = Path(__file__).resolve().parent / "crm-appliance.json"
WIDTH = 24
SOURCE = {"type": "prometheus", "uid": "${source}"}
CRM = 'crm=~"$crm"'


@dataclass(frozen=True, kw_only=True)
class Panel:
    """One panel: what it is called, what it asks, and how its figures are written. `kind` is Grafana's; `columns` of 24 are its width."""

    title: str
    query: str
    unit: str = "short"
    legend: str = ""
    kind: str = "timeseries"
    columns: int = 12
    height: int = 7
    text: str = ""


ROWS: dict[str, tuple[Panel, ...]] = {
    "Now": (
        Panel(title="State", query=f'appliance_probe_up{{{CRM},target="service"}}', legend="{{crm}}", kind="stat", columns=6),
        Panel(title="In maintenance", query=f"appliance_crm_maintenance{{{CRM}}}", legend="{{crm}}", kind="stat", columns=6),
        Panel(
            title="Error budget of 30 days left",
            query=f"appliance_slo_error_budget_remaining_ratio{{{CRM}}}",
            unit="percentunit",
            legend="{{crm}} {{slo}}",
            kind="gauge",
            columns=6,
        ),
        Panel(
            title="Alerts",
            query='count by (severity) (ALERTS{alertstate="firing",severity!="none"})',
            legend="{{severity}}",
            kind="stat",
            columns=6,
        ),
    ),
    "Availability": (
        Panel(
            title="Availability over 30 days, of the time that was seen",
            query=(
                f'sum by (crm) (increase(appliance_probe_state_seconds_total{{{CRM},target="service",state=~"up|degraded"}}[30d])) / '
                f'sum by (crm) (increase(appliance_probe_state_seconds_total{{{CRM},target="service",state=~"up|degraded|down"}}[30d]))'
            ),
            unit="percentunit",
            legend="{{crm}}",
        ),
        Panel(
            title="Time in each state",
            query=f'sum by (crm, state) (rate(appliance_probe_state_seconds_total{{{CRM},target="service"}}[5m]))',
            unit="percentunit",
            legend="{{crm}} {{state}}",
        ),
        Panel(
            title="Outages a day", query=f"sum by (crm, cause) (increase(appliance_outages_total{{{CRM}}}[1d]))", legend="{{crm}} {{cause}}"
        ),
        Panel(
            title="Share of the time that was watched", query="appliance_monitor_coverage_ratio", unit="percentunit", legend="{{window}}"
        ),
    ),
    "Latency": tuple(
        Panel(
            title=f"{title} of the probes",
            query=(
                f"histogram_quantile({share}, sum by (crm, target, le) "
                f'(rate(appliance_probe_duration_seconds_bucket{{{CRM},target=~"ready|deep"}}[5m])))'
            ),
            unit="s",
            legend="{{crm}} {{target}}",
            columns=8,
        )
        for title, share in (("Median", 0.5), ("95th percentile", 0.95), ("99th percentile", 0.99))
    ),
    "Adoption": (
        Panel(
            title="People who changed something, by department",
            query=f"appliance_adoption_active_users{{{CRM}}}",
            legend="{{crm}} {{department}}",
            columns=8,
            text="On the last whole day (UTC).",
        ),
        Panel(title="Records", query=f"appliance_adoption_records{{{CRM}}}", legend="{{crm}}", columns=8),
        Panel(
            title="Untouched for 90 days",
            query=f"appliance_adoption_untouched_ratio{{{CRM}}}",
            unit="percentunit",
            legend="{{crm}}",
            columns=8,
        ),
    ),
    "Recovery": (
        Panel(
            title="What could be lost now",
            query=f"time() - max by (crm) (appliance_recovery_point_timestamp_seconds{{{CRM}}} > 0)",
            unit="s",
            legend="{{crm}}",
            text="The age of the newest second that could be brought back, and what is promised.",
        ),
        Panel(title="What may be lost", query=f"appliance_rpo_objective_seconds{{{CRM}}}", unit="s", legend="{{crm}}"),
        Panel(
            title="Since the last backup that succeeded",
            query=f"time() - (appliance_backup_last_success_timestamp_seconds{{{CRM}}} > 0)",
            unit="s",
            legend="{{crm}} {{kind}} {{repository}}",
        ),
        Panel(
            title="Backups a day",
            query=f"sum by (crm, result) (increase(appliance_backup_runs_total{{{CRM}}}[1d]))",
            legend="{{crm}} {{result}}",
        ),
        Panel(title="Read by the last backup", query=f"appliance_backup_processed_bytes{{{CRM}}}", unit="bytes", legend="{{crm}}"),
        Panel(title="Added by the last backup", query=f"appliance_backup_added_bytes{{{CRM}}}", unit="bytes", legend="{{crm}}"),
        Panel(
            title="Since the last restore that was proven",
            query=f"time() - (appliance_restore_drill_last_success_timestamp_seconds{{{CRM}}} > 0)",
            unit="s",
            legend="{{crm}}",
        ),
        Panel(title="How long it took", query=f"appliance_restore_drill_duration_seconds{{{CRM}}}", unit="s", legend="{{crm}}"),
    ),
    "Machines": (
        Panel(
            title="Disk left",
            query="appliance_filesystem_avail_bytes / appliance_filesystem_size_bytes",
            unit="percentunit",
            legend="{{host}} {{mountpoint}}",
        ),
        Panel(
            title="Processor",
            query='1 - sum by (host) (rate(appliance_host_cpu_seconds_total{mode="idle"}[5m])) / '
            "sum by (host) (rate(appliance_host_cpu_seconds_total[5m]))",
            unit="percentunit",
            legend="{{host}}",
        ),
        Panel(
            title="Memory left",
            query="appliance_host_memory_available_bytes / appliance_host_memory_size_bytes",
            unit="percentunit",
            legend="{{host}}",
        ),
        Panel(
            title="Certificates end in",
            query=f"appliance_certificate_not_after_timestamp_seconds{{{CRM}}} - time()",
            unit="s",
            legend="{{crm}}",
        ),
        Panel(title="Updates that wait", query="appliance_updates_pending", legend="{{host}} {{class}}"),
        Panel(
            title="Notifications",
            query="sum by (channel, result) (increase(appliance_notifications_total[1d]))",
            legend="{{channel}} {{result}}",
        ),
    ),
    "Operations": (
        Panel(
            title="Operations a day",
            query="sum by (kind, result) (increase(appliance_operation_runs_total[1d])) > 0",
            legend="{{kind}} {{result}}",
        ),
        Panel(
            title="How long operations took, 95th percentile of a week",
            query="histogram_quantile(0.95, sum by (kind, le) (rate(appliance_operation_duration_seconds_bucket[7d])))",
            unit="s",
            legend="{{kind}}",
        ),
    ),
}


def dashboard() -> str:
    """The file, as Grafana imports it."""
    crm = {"name": "crm", "type": "query", "query": "label_values(appliance_crm_info, crm)", "datasource": SOURCE}
    told = {
        "uid": "crm-appliance",
        "title": "CRM Appliance",
        "tags": ["crm"],
        "schemaVersion": 39,
        "editable": True,
        "time": {"from": "now-24h", "to": "now"},
        "refresh": "1m",
        "templating": {
            "list": [
                {"name": "source", "type": "datasource", "query": "prometheus", "label": "Prometheus"},
                crm | {"label": "CRM", "multi": True, "includeAll": True, "refresh": 2},
            ]
        },
        "panels": list(_placed()),
    }
    return json.dumps(told, indent=2) + "\n"


def _placed() -> Iterator[dict[str, Any]]:
    """Rows from above to below, their panels from left to right."""
    number, top = 1, 0
    for title, panels in ROWS.items():
        yield {
            "id": number,
            "type": "row",
            "title": title,
            "collapsed": False,
            "gridPos": {"x": 0, "y": top, "w": WIDTH, "h": 1},
            "panels": [],
        }
        number, top, left = number + 1, top + 1, 0
        for panel in panels:
            if left + panel.columns > WIDTH:
                left, top = 0, top + panel.height
            yield _panel(panel, number, {"x": left, "y": top, "w": panel.columns, "h": panel.height})
            number, left = number + 1, left + panel.columns
        top += panels[-1].height


def _panel(panel: Panel, number: int, place: dict[str, int]) -> dict[str, Any]:
    return {
        "id": number,
        "type": panel.kind,
        "title": panel.title,
        "description": panel.text,
        "datasource": SOURCE,
        "gridPos": place,
        "targets": [{"refId": "A", "expr": panel.query, "legendFormat": panel.legend, "datasource": SOURCE}],
        "fieldConfig": {"defaults": {"unit": panel.unit}, "overrides": []},
        "options": {},
    }
