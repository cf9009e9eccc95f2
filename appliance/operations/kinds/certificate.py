"""Certificate: renew the one that a CRM shows, or replace it by one that an administrator brings. Visitors notice nothing."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any, Literal

from appliance.domain.instance import Instance
from appliance.domain.operation import OperationStatus
from appliance.domain.tls import Tls, TlsMode, tls_of_json
from appliance.errors import Conflict, InvalidRequest
from appliance.operations.addresses import Site
from appliance.operations.certifying import (
    Handover,
    certificate_secrets,
    certificate_variables,
    certify,
    examine_request,
    forget_handover,
    keep_only,
)
from appliance.operations.kinds.backup import serving
from appliance.operations.parameters import Parameters, read
from appliance.operations.run import Run
from appliance.operations.steps.certificates import note_issued
from appliance.operations.telling import publish_targets
from appliance.operations.variables import variables
from appliance.operations.workflow import StepDefinition, Workflow
from appliance.wiring import Appliance


class CertificateParameters(Parameters):
    """`renew` asks the authority again; `replace` takes `certificate` and `key`, which are then the administrator's to renew."""

    action: Literal["renew", "replace"] = "renew"
    certificate: str | None = None
    key: str | None = None
    handover: Handover = None


def accept(appliance: Appliance, instance: str, parameters: Mapping[str, Any]) -> dict[str, Any]:
    """Raises InvalidRequest, NotFound, and Conflict for an instance that does not serve or is reached by plain HTTP."""
    found = serving(appliance, instance)
    wanted = read(CertificateParameters, parameters)
    if not found.tls.is_on:
        raise Conflict(f"{instance} is reached by plain HTTP and shows no certificate. Nothing was changed.")
    if wanted.action == "renew" and found.tls.mode is TlsMode.OWN:
        raise InvalidRequest(
            f"The certificate of {instance} was brought by an administrator. Nothing was changed; bring the next one with: "
            f"appliance certificate replace {instance} --certificate FILE --key FILE",
            field="action",
        )
    given = wanted.model_dump(mode="json")
    return {**given, **examine_request(appliance, _site(found, given), given, datetime.now(UTC))}


def check(run: Run) -> str:
    """Look once more at what is brought: the request may be an old one that is tried again."""
    instance, wanted = serving(run.appliance, run.operation.instance), run.operation.parameters
    if not run.memory.get("before"):
        run.remember(before=instance.tls.as_json())
    examine_request(run.appliance, _site(instance, wanted), wanted, run.now())
    return f"until now valid to {instance.tls.not_after:%Y-%m-%d}" if instance.tls.not_after else "its end was not known"


def obtain(run: Run) -> str:
    """Have the appliance's authority issue one, or take the one that was brought; the host asks others itself."""
    instance, wanted = serving(run.appliance, run.operation.instance), run.operation.parameters
    if not run.memory.get("after"):
        run.remember(after=certify(run.appliance, instance.name, _site(instance, wanted), wanted, run.now()).as_json())
    after = tls_of_json(run.memory["after"])
    return f"valid to {after.not_after:%Y-%m-%d}" if after.not_after else "the host asks for it"


def put_in_place(run: Run) -> None:
    """Let nginx show it, and see that it does."""
    _show(run, tls_of_json(run.memory["after"]), renew=not run.interrupted)


def put_back(run: Run) -> None:
    """Let nginx show the one before; by ACME that is what the host has, and nobody is asked again who has just said no."""
    before = tls_of_json(run.memory["before"])
    _show(run, before, ask=False)
    run.appliance.store.instances.protect(run.operation.instance, before)


def note(run: Run) -> str:
    """Write it down, forget the one before and tell the monitor what to verify with."""
    name, appliance = run.operation.instance, run.appliance
    appliance.store.instances.protect(name, tls_of_json(run.memory["after"]))
    shown = note_issued(run, appliance.store.instances.get(name))
    keep_only(appliance, appliance.store.instances.get(name))
    forget_handover(appliance, run.operation.parameters)
    publish_targets(appliance)
    return f"{name} shows {shown.certificate}, valid to {shown.not_after:%Y-%m-%d}"


def _show(run: Run, tls: Tls, *, renew: bool = False, ask: bool = True) -> None:
    instance = replace(serving(run.appliance, run.operation.instance), tls=tls)
    assert instance.deployment is not None  # noqa: S101 - it serves
    with run.secret_files(certificate_secrets(run.appliance, instance)) as files:
        told = certificate_variables(run.appliance, files, renew=renew, ask=ask)
        run.playbook("certificate", variables(run.appliance, instance, deployment=instance.deployment, **told))


def _site(instance: Instance, wanted: Mapping[str, Any]) -> Site:
    mode = TlsMode.OWN if wanted["action"] == "replace" else instance.tls.mode
    return Site(address=instance.address, domain=instance.domain, mode=mode, hsts=instance.tls.hsts, port=instance.port)


CERTIFICATE = Workflow(
    kind="certificate",
    accept=accept,
    undone=OperationStatus.ROLLED_BACK,
    secrets=("key",),
    steps=(
        StepDefinition(name="preflight", title="Check before anything is changed", run=check),
        StepDefinition(name="obtain", title="Get the certificate", run=obtain),
        StepDefinition(name="place", title="Let visitors see it", run=put_in_place, undo=put_back, cancellable=False),
        StepDefinition(name="note", title="Note it and forget the one before", run=note, cancellable=False),
    ),
)
