"""Where the parts of the stack are on its host. The role `monitoring_stack` has the same table; a test compares the two."""

from pathlib import Path

DIRECTORY = Path("/etc/crm-host/monitoring")
"""Every file that the parts are configured with, flat. It is there from the first change to the last."""
PORTS = {
    "prometheus": 9090,
    "prometheus-alertmanager": 9093,
    "prometheus-node-exporter": 9100,
    "prometheus-blackbox-exporter": 9115,
    "prometheus-postgres-exporter": 9187,
}
"""Debian's packages, each with one service of the same name, and where it listens on the loopback address."""


def listens(package: str) -> str:
    """Address and port of a part.

    >>> listens("prometheus")
    '127.0.0.1:9090'
    """
    return f"127.0.0.1:{PORTS[package]}"


def file(name: str) -> str:
    """Path of one of its files on the host."""
    return str(DIRECTORY / name)
