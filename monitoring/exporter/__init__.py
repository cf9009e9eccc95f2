"""What Prometheus reads: the ledger's facts and the host's. The label is `crm`, since `instance` belongs to Prometheus."""
