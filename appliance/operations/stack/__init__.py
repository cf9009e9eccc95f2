"""What Prometheus, Alertmanager and exporters on a host are configured with, as text; nothing here changes a machine."""
