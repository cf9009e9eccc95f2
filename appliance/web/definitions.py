"""What a product definition says, in words for the administrator who is about to trust it."""

from dataclasses import dataclass

from appliance.domain.product import ProductDefinition
from appliance.domain.product_probes import (
    FormLoginProbe,
    HttpProbe,
    JsonRpcLoginProbe,
    JsonRpcProbe,
    Probe,
)
from appliance.domain.product_settings import Setting
from appliance.web.languages import gettext, looked_up, marked

CLASSES = {
    "wheel": marked("Python packages, each pinned by its hash"),
    "archive": marked("an archive of the vendor's"),
    "deb": marked("Debian packages"),
    "installer": marked("an installer of the vendor's"),
}
ENGINES = {"postgresql": "PostgreSQL", "mariadb": "MariaDB", "sqlite": "SQLite"}
RUNTIMES = {"python": "Python", "php": "PHP", "java": "Java", "node": "Node.js", "native": ""}
QUESTIONS = {
    "live": marked("Does it answer at all?"),
    "ready": marked("Is it ready to work, with its database?"),
    "deep": marked("Can somebody log in and work?"),
    "version_code": marked("Which release answers?"),
    "version_database": marked("Which release is the database of?"),
    "queue": marked("Is the work in the background done?"),
    "write": marked("Can something be saved? Asked of copies only."),
}
"""What each probe is there for."""
OTHER_WAYS = {
    "sql": marked("asks the database"),
    "cmd": marked("runs a program of the release, as the CRM's own user"),
    "process": marked("looks for the process"),
}


@dataclass(frozen=True, kw_only=True)
class ProbeTold:
    """A probe: what it is to find out, and how."""

    name: str
    question: str
    way: str


def needs_told(definition: ProductDefinition) -> list[tuple[str, str]]:
    """What a host must be able to give, each by its name."""
    runtime, database = definition.runtime, definition.database
    series = runtime.min if runtime.min == runtime.max else f"{runtime.min}–{runtime.max}"
    needs = [
        (gettext("Installed from"), looked_up(CLASSES[definition.product_class])),
        (gettext("Runs in"), f"{RUNTIMES[runtime.kind]} {series}".strip()),
        (gettext("Database"), gettext("%(engine)s, %(series)s or newer", engine=ENGINES[database.engine], series=database.min)),
    ]
    if runtime.apt:
        needs.append((gettext("Debian packages"), ", ".join(runtime.apt)))
    memory = sum(service.limits.memory_mb for service in definition.services)
    needs.append((gettext("Memory at the most"), gettext("%(memory)s MB, the database not counted", memory=memory)))
    return needs


def setting_told(setting: Setting) -> str:
    """What may be chosen for it."""
    if setting.type == "boolean":
        return gettext("yes or no")
    if setting.choices:
        return gettext("one of %(choices)s", choices=", ".join(setting.choices))
    if setting.type == "integer" and (setting.min is not None or setting.max is not None):
        return gettext("a whole number, %(least)s to %(most)s", least=_end(setting.min), most=_end(setting.max))
    return gettext("a whole number") if setting.type == "integer" else gettext("a text")


def _end(limit: int | None) -> str:
    return "…" if limit is None else str(limit)


def probes_told(definition: ProductDefinition) -> list[ProbeTold]:
    """The product's own probes; single releases may answer others."""
    return [
        ProbeTold(name=name, question=looked_up(QUESTIONS[name]), way=_way(probe)) for name, probe in definition.probes.by_name().items()
    ]


def _way(probe: Probe) -> str:
    match probe:
        case HttpProbe():
            return gettext("asks for the page %(path)s and expects status %(status)s", path=probe.path, status=probe.status)
        case FormLoginProbe():
            return gettext("logs in as %(user)s on the page %(path)s", user=probe.username, path=probe.path)
        case JsonRpcLoginProbe():
            return gettext("logs in as %(user)s and calls %(method)s", user=probe.username, method=probe.then.method)
        case JsonRpcProbe():
            return gettext("calls %(method)s at %(path)s", method=probe.method, path=probe.path)
        case _:
            return looked_up(OTHER_WAYS[probe.kind])
