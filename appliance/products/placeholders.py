"""The placeholders of a definition, such as {{ deployment.port }}: filled in for probes, and tried out when a definition is checked."""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from jinja2 import StrictUndefined, TemplateError, UndefinedError, meta
from jinja2.sandbox import ImmutableSandboxedEnvironment

from appliance.domain.product import ProductDefinition
from appliance.errors import ConfigurationError

_ENVIRONMENT = ImmutableSandboxedEnvironment(undefined=StrictUndefined, autoescape=False, keep_trailing_newline=True)

UNKNOWN_UNTIL_DEPLOYED = ("deployment", "secrets", "settings")
"""While a release is built there is no deployment yet; and what is built never depends on settings, since these may change."""


def fill_in(text: str, variables: Mapping[str, Any]) -> str:
    """The text with its placeholders replaced; raises ConfigurationError for a name that does not exist."""
    try:
        return _ENVIRONMENT.from_string(text).render(variables)
    except TemplateError as error:
        raise ConfigurationError(f"The placeholders in '{text}' cannot be filled in: {error}. Nothing was changed.") from error


def placeholder_problems(definition: ProductDefinition) -> Iterator[str]:
    """One line for every placeholder that could not be filled in on a real machine."""
    variables = sample_variables(definition)
    without_deployment = {name: value for name, value in variables.items() if name not in UNKNOWN_UNTIL_DEPLOYED}
    content = definition.model_dump(mode="json", by_alias=True, exclude_none=True, exclude={"settings", "releases"})
    fields = list(content.items())
    for release in definition.releases:
        own = release.model_dump(mode="json", exclude_none=True, include={"prebuild", "probes"})
        fields += [(f"releases: {release.version}: {field}", value) for field, value in own.items()]
    for field, value in fields:
        known = without_deployment if field.endswith(("build_environment", "prebuild")) else variables
        for place, text in _texts(field, value):
            if problem := _problem(text, known):
                yield f"{place}: {problem}"


def release_template_problem(text: str) -> str | None:
    """What a template that is rendered into a release may not speak of, if it does."""
    try:
        spoken_of = meta.find_undeclared_variables(_ENVIRONMENT.parse(text))
    except TemplateError:
        return None  # Ansible's own extensions are not known here
    wrong = [name for name in UNKNOWN_UNTIL_DEPLOYED if name in spoken_of]
    return f"a release has no {' and no '.join(wrong)}; use scope 'deployment', or the environment" if wrong else None


def sample_variables(definition: ProductDefinition) -> dict[str, Any]:
    """Every name that a placeholder may use, with values as they could be."""
    crm = ("name", "root", "user", "cluster", "socket_directory", "address", "domain", "url")
    release = ("version", "series", "build", "directory", "bin", "package", "lock")
    deployment = ("id", "directory", "files", "database", "role", "release_directory")
    return {
        "crm": {name: name for name in crm} | {"database_port": 5433, "port": 80},
        "release": {name: name for name in release},
        "deployment": {name: name for name in deployment} | {"port": 8001, "mail": True},
        "settings": {setting.name: setting.default if setting.default is not None else "text" for setting in definition.settings},
        "secrets": {"directory": "directory"},
    }


def _texts(place: str, value: object) -> Iterable[tuple[str, str]]:
    if isinstance(value, str):
        yield place, value
    elif isinstance(value, dict):
        for name, inner in value.items():
            yield from _texts(f"{place}.{name}", inner)
    elif isinstance(value, list):
        for number, inner in enumerate(value):
            yield from _texts(f"{place}.{number}", inner)


def _problem(text: str, variables: Mapping[str, Any]) -> str | None:
    try:
        _ENVIRONMENT.from_string(text).render(variables)
    except UndefinedError as error:
        return f"{error.message}; known are {', '.join(f'{name}.*' for name in variables)}"
    except TemplateError as error:
        return f"the placeholder is not complete ({error.message})"
    return None
