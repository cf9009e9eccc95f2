"""Metrics of the certificates that CRMs show."""

from collections.abc import Mapping

from monitoring.exporter.families import Family, gauge


def collect_certificates(ends: Mapping[str, float]) -> Family:
    """One series for each CRM that shows a certificate, once it was seen."""
    text = "Until when the certificate that a CRM shows is valid."
    family = gauge("appliance_certificate_not_after_timestamp_seconds", text, ("crm", "purpose"))
    for crm, end in sorted(ends.items()):
        family.add((crm, "site"), end)
    return family
