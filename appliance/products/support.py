"""What a definition may say but this version does not carry out yet: it is refused, never passed over in silence."""

from collections.abc import Iterable

from appliance.domain.product import ProductDefinition
from appliance.domain.product_steps import Step

CLASSES = ("wheel",)
ENGINES = ("postgresql",)
RUNTIMES = ("python",)
STEP_FIELDS = ("sql_file", "working_directory", "environment", "creates")
DEPLOYMENT_FILES = "{{ deployment.files }}"
"""What a backup takes beside the database and the secrets."""
SERVICE_FIELDS = ("working_directory", "environment")


def unsupported(definition: ProductDefinition) -> Iterable[str]:
    """One line for everything that would be ignored."""
    choices = [
        ("class", definition.product_class, CLASSES),
        ("database.engine", definition.database.engine, ENGINES),
        ("runtime.kind", definition.runtime.kind, RUNTIMES),
    ]
    for field, chosen, known in choices:
        if chosen not in known:
            yield f"{field}: this version carries out only {', '.join(known)}, not {chosen}"
    for field, value in _used_fields(definition):
        if value:
            yield f"{field}: this version does not carry it out"


def _used_fields(definition: ProductDefinition) -> Iterable[tuple[str, object]]:
    yield "runtime.interpreter", definition.runtime.interpreter
    yield "runtime.extensions", definition.runtime.extensions
    yield "database.charset", definition.database.charset
    yield "anonymise", definition.anonymise
    yield "state.files: anything but {{ deployment.files }}", set(definition.state.files) - {DEPLOYMENT_FILES}
    for release in definition.releases:
        yield f"releases: {release.version}: companions", release.companions
    for service in definition.services:
        for field in SERVICE_FIELDS:
            yield f"services: {service.name}: {field}", getattr(service, field)
    for place, step in _steps(definition):
        yield f"{place}: {step.name}: user {step.user}", step.user != "crm"
        for field in STEP_FIELDS:
            yield f"{place}: {step.name}: {field}", getattr(step, field)


def _steps(definition: ProductDefinition) -> Iterable[tuple[str, Step]]:
    groups = [("prebuild", definition.prebuild), ("install", definition.install), ("patch.steps", definition.patch.steps)]
    groups += [(f"upgrade.hops.{number}.steps", hop.steps) for number, hop in enumerate(definition.upgrade.hops)]
    groups += [(f"releases: {release.version}: prebuild", release.prebuild or ()) for release in definition.releases]
    return [(place, step) for place, steps in groups for step in steps]
