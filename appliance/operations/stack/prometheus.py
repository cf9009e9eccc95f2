"""Prometheus's configuration and that of the blackbox exporter: what is asked, how, and what an alert is told with."""

from collections.abc import Iterable, Sequence
from typing import Any

import yaml

from appliance.domain.host import Host
from appliance.domain.instance import Instance
from appliance.domain.names import as_address
from appliance.operations.stack.places import file, listens

TOKEN, AUTHORITY, CRM_AUTHORITIES = "metrics.token", "authority.pem", "crm-authorities.pem"
RULES = "rules-"
"""Begins the name of each file of rules."""
KNOWN_BY_SYSTEM, KNOWN_BY_US, CONNECTS = "crm", "crm_own_authority", "connects"
"""The blackbox exporter's modules."""


def prometheus_text(host: Host, metrics: tuple[str, int], instances: Sequence[Instance], hosts: Sequence[Host]) -> str:
    """The file for the Prometheus on `host`: `metrics` is where the appliance's are to be had."""
    configuration = {
        "global": {"scrape_interval": "15s", "evaluation_interval": "15s"},
        "rule_files": [file(f"{RULES}*.yml")],
        "alerting": {
            "alert_relabel_configs": [_with_host(instance) for instance in instances],
            "alertmanagers": [{"static_configs": [{"targets": [listens("prometheus-alertmanager")]}]}],
        },
        "scrape_configs": [_appliance(metrics), *_parts(host, instances), *_crms(instances), *_hosts(hosts)],
    }
    return str(yaml.safe_dump(configuration, sort_keys=False, width=10**9))


def blackbox_text() -> str:
    """The file for the blackbox exporter: a page by certificates that the system knows, one by those that we do, an open port."""
    page: dict[str, Any] = {"prober": "http", "timeout": "10s"}
    modules = {
        KNOWN_BY_SYSTEM: page,
        KNOWN_BY_US: {**page, "http": {"tls_config": {"ca_file": file(CRM_AUTHORITIES)}}},
        CONNECTS: {"prober": "tcp", "timeout": "5s"},
    }
    return str(yaml.safe_dump({"modules": modules}, sort_keys=False))


def _appliance(metrics: tuple[str, int]) -> dict[str, Any]:
    return {
        "job_name": "appliance",
        "scheme": "https",
        "authorization": {"credentials_file": file(TOKEN)},
        "tls_config": {"ca_file": file(AUTHORITY)},
        "static_configs": [{"targets": [_joined(*metrics)]}],
    }


def has_databases(host: Host, instances: Iterable[Instance]) -> bool:
    """Whether a CRM is on the host, and with it a database that can be asked."""
    return any(instance.host == host.name for instance in instances)


def _parts(host: Host, instances: Sequence[Instance]) -> Iterable[dict[str, Any]]:
    """The stack itself, its machine, and the databases there."""
    databases = [("postgres", "prometheus-postgres-exporter")] if has_databases(host, instances) else []
    for job, package in (
        ("prometheus", "prometheus"),
        ("alertmanager", "prometheus-alertmanager"),
        ("blackbox", "prometheus-blackbox-exporter"),
        ("node", "prometheus-node-exporter"),
        *databases,
    ):
        yield {"job_name": job, "static_configs": [{"targets": [listens(package)], "labels": {"host": host.name}}]}


def _crms(instances: Sequence[Instance]) -> list[dict[str, Any]]:
    """Every CRM at the address that its visitors type."""
    jobs = []
    for module, is_ours in ((KNOWN_BY_SYSTEM, False), (KNOWN_BY_US, True)):
        targets = [
            {"targets": [one.url], "labels": {"crm": one.name, "host": one.host}} for one in instances if bool(one.tls.trust) is is_ours
        ]
        if targets:
            jobs.append(_probed(module, module, targets) | {"scrape_interval": "30s"})
    return jobs


def _hosts(hosts: Sequence[Host]) -> list[dict[str, Any]]:
    """The door by which the appliance itself comes to each host."""
    targets = [{"targets": [_joined(one.address, one.port)], "labels": {"host": one.name}} for one in hosts if not one.is_local]
    return [_probed("host", CONNECTS, targets)] if targets else []


def _probed(job: str, module: str, targets: list[dict[str, Any]]) -> dict[str, Any]:
    return {
        "job_name": job,
        "metrics_path": "/probe",
        "params": {"module": [module]},
        "static_configs": targets,
        "relabel_configs": [
            {"source_labels": ["__address__"], "target_label": "__param_target"},
            {"source_labels": ["__param_target"], "target_label": "instance"},
            {"target_label": "__address__", "replacement": listens("prometheus-blackbox-exporter")},
        ],
    }


def _with_host(instance: Instance) -> dict[str, Any]:
    """An alert about a CRM says on which host that is, so that what explains both is told once."""
    return {"source_labels": ["crm", "host"], "regex": f"{instance.name};", "target_label": "host", "replacement": instance.host}


def _joined(host: str, port: int) -> str:
    found = as_address(host)
    return f"[{host}]:{port}" if found is not None and found.version == 6 else f"{host}:{port}"  # noqa: PLR2004 - IPv6
