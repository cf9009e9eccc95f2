"""Probes, the uptime ledger and the Prometheus exporter. Runs as its own process."""
