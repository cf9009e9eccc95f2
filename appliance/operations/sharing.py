"""Make an operation's log fit to be shown to somebody outside: without secrets, names and addresses."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any

from appliance import __version__
from appliance.config import Settings
from appliance.domain.names import as_address, origin
from appliance.domain.operation import Operation, OperationStatus
from appliance.domain.redaction import Prepared, Redactor
from appliance.domain.shared_log import Share, SharedLine, SharedLog, SharedStep, check_days
from appliance.errors import Conflict
from appliance.operations.supporting import kept_secrets, redacted
from appliance.store.logs import LogLine
from appliance.wiring import Appliance

MOST_LINES = 5000
LONGEST_LINE = 2000
BLOCK = 500
"""Lines that are looked through at once: many times faster than one by one."""
PATH = "/shared/"
TLS_PORT = 443
NAMING = ("name", "domain", "host", "instance", "address", "user")
"""Parameters whose values are names."""


def share(appliance: Appliance, operation: Operation, *, days: int, by: str, now: datetime) -> tuple[str, Share]:
    """Give the address that shows the log as it is now, and what is known of the link. Raises InvalidRequest, Conflict while it moves."""
    length = check_days(days)
    if operation.status in (OperationStatus.QUEUED, OperationStatus.RUNNING):
        raise Conflict(f"Operation {operation.id} has not ended yet. Nothing was changed; share its log when it has.")
    shown = shown_log(appliance, operation)
    token, made = appliance.store.shares.add(shown, operation=operation.id, by=by, now=now, until=now + length)
    return _address(appliance.settings) + PATH + token, made


def shown_log(appliance: Appliance, operation: Operation, *, most: int = MOST_LINES) -> SharedLog:
    """What somebody outside would see of it. With less of its `most` newest lines, all that is shown has the same placeholders."""
    logs = appliance.store.logs
    lines, count = logs.newest(operation.id, most), logs.count(operation.id)
    texts = [line.text[:LONGEST_LINE].replace("\n", " ") for line in lines]
    told = [operation.cause or "", operation.next_action or "", *(step.detail or "" for step in operation.steps)]
    whole = "\n".join([*texts, *told])
    hidden = [secret for secret in kept_secrets(appliance) if secret in whole]
    prepared = Redactor(known=_names(appliance, operation)).prepared_for(whole)
    cause, next_action, *details = [prepared.redacted(redacted(text, hidden)) for text in told]
    clean = _clean(texts, prepared, [secret for secret in hidden if "\n" not in secret])
    return SharedLog(
        kind=operation.kind,
        status=operation.status.value,
        version=__version__,
        seconds=_seconds(operation.started_at, operation.finished_at),
        cause=cause,
        next_action=next_action,
        steps=[
            SharedStep(title=step.title, status=step.status.value, detail=detail, seconds=_seconds(step.started_at, step.finished_at))
            for step, detail in zip(operation.steps, details, strict=True)
        ],
        lines=_lines(operation, lines, clean),
        earlier=max(0, count - len(lines)),
    )


def _clean(texts: Sequence[str], prepared: Prepared, hidden: Sequence[str]) -> list[str]:
    """From the newest back, so that placeholders are numbered alike however many of the earlier lines there are."""
    blocks = [texts[max(0, end - BLOCK) : end] for end in range(len(texts), 0, -BLOCK)]
    cleaned = [prepared.redacted(redacted("\n".join(block), hidden)).split("\n") for block in blocks]
    return [text for block in reversed(cleaned) for text in block]


def _lines(operation: Operation, lines: Sequence[LogLine], texts: Sequence[str]) -> list[SharedLine]:
    since = operation.started_at or operation.requested_at
    return [
        SharedLine(seconds=max(0.0, (line.at - since).total_seconds()), step=line.step or "", text=text)
        for line, text in zip(lines, texts, strict=True)
    ]


def _names(appliance: Appliance, operation: Operation) -> Mapping[str, list[str]]:
    """Every name that the appliance knows, and those that the operation was given."""
    store, settings = appliance.store, appliance.settings
    places, hosts = store.instances.places(), [host for host in store.hosts.list() if not host.is_local]
    known = [str(host.facts.get("hostname", "")) for host in hosts]
    return {
        "crm": [*store.instances.names(), *([operation.instance] if ":" not in operation.instance else [])],
        "host": [
            *(domain for _, domain in places),
            *(host.name for host in hosts),
            *known,
            settings.panel_domain,
            *_given(operation.parameters),
        ],
        "address": [*(host.address for host in hosts), *(address for address, _ in places)],
        "user": [
            *(user.name for user in store.access.users()),
            *(host.user for host in hosts if host.user != "root"),
            operation.requested_by,
        ],
        "repository": [name for one in store.repositories.list() for name in (one.name, one.location)],
    }


def _given(parameters: Any, name: str = "") -> Iterator[str]:
    if isinstance(parameters, Mapping):
        for key, value in parameters.items():
            yield from _given(value, str(key))
    elif isinstance(parameters, str) and any(word in name for word in NAMING):
        yield from parameters.splitlines()


def _seconds(begin: datetime | None, end: datetime | None) -> float | None:
    return (end - begin).total_seconds() if begin and end else None


def _address(settings: Settings) -> str:
    """How the panel is reached, as the settings say."""
    if settings.panel_domain:
        return origin("https", settings.panel_domain.lower(), TLS_PORT)
    host, _, port = settings.panel_listen.rpartition(":")
    address = as_address(host.strip("[]"))
    name = "localhost" if address is None or address.is_unspecified else host.strip("[]")
    return origin("http", name, int(port))
