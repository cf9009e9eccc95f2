"""The alert rules: one table, told to Prometheus as PromQL and evaluated here from the appliance's own data."""
