"""Read what an authority that was asked over the network has issued: the host has it, the appliance only notes it."""

from dataclasses import replace

from cryptography import x509

from appliance.certificates.pair import identifier
from appliance.domain.instance import Instance
from appliance.domain.tls import Tls, TlsMode
from appliance.errors import StepFailed
from appliance.hosts.reach import ask
from appliance.operations.run import Run


def note_issued(run: Run, instance: Instance) -> Tls:
    """Write down which certificate the host got by ACME, and until when it is valid; another mode's is known already. Raises StepFailed."""
    if instance.tls.mode is not TlsMode.ACME:
        return instance.tls
    file = run.machine.layout.crm_root / instance.name / "acme" / "etc" / "live" / "site" / "cert.pem"
    try:
        found = x509.load_pem_x509_certificate(ask(run.machine.reach, ["cat", str(file)]).stdout.encode())
    except ValueError:
        raise StepFailed(f"No certificate was found in {file} on {run.machine.host.name}, although one was issued.") from None
    issued = replace(instance.tls, certificate=identifier(found), issued_at=found.not_valid_before_utc, not_after=found.not_valid_after_utc)
    run.appliance.store.instances.protect(instance.name, issued)
    return issued
