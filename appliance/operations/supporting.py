"""The support bundle: what somebody who helps has to know of an appliance, in one archive, and no secret in it."""

import io
import json
import platform
import re
import tarfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import fields, is_dataclass
from datetime import datetime
from importlib.metadata import distributions
from pathlib import Path
from typing import Any

from pydantic import BaseModel
from pydantic_core import to_jsonable_python

from appliance import __version__
from appliance.domain.operation import OperationStatus
from appliance.operations.alerting import read_alerts
from appliance.operations.this_machine import Finding
from appliance.wiring import Appliance

OPERATIONS = 200
LOGS = 20
LINES = 5000
LOG_BYTES = 256 * 1024
SHORTEST_SECRET = 6
"""Shorter ones would take ordinary words out of every text."""
HIDDEN = "[secret]"
CREDENTIALS = re.compile(r"(?<=://)[^/\s@\"]+:[^/\s@\"]+(?=@)")
UNSUCCESSFUL = (OperationStatus.FAILED, OperationStatus.ROLLED_BACK, OperationStatus.NEEDS_ATTENTION)
ABOUT = """A support bundle of CRM Appliance {version}, made {at:%Y-%m-%d %H:%M} UTC.

It holds: how the appliance and its machine were found, settings, CRMs, hosts, schedules, recovery points, alerts, the newest
{operations} operations, and the logs of those that did not succeed. It holds names and addresses of hosts, CRMs and users.
It holds no record of a CRM, no password, key or token: every secret that the appliance keeps was looked for in each file
and replaced by {hidden}, and so was what stands before the @ of an address. Read it before you give it away.
"""


def support_bundle(appliance: Appliance, findings: Sequence[Finding], now: datetime) -> bytes:
    """Make the archive (tar, gzip). Raises ConfigurationError when the key that opens the secrets is another one."""
    hidden = kept_secrets(appliance)
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w:gz") as archive:
        for name, text in _files(appliance, findings, now):
            content = redacted(text, hidden).encode()
            entry = tarfile.TarInfo(f"crm-appliance-support/{name}")
            entry.size, entry.mtime, entry.mode = len(content), int(now.timestamp()), 0o600
            archive.addfile(entry, io.BytesIO(content))
    return packed.getvalue()


def redacted(text: str, secrets: Sequence[str]) -> str:
    """The text without any of the secrets, the longest first, as they are and as JSON writes them; and without credentials in addresses."""
    if secrets:
        text = re.sub("|".join(map(re.escape, secrets)), HIDDEN, text)
    return CREDENTIALS.sub(HIDDEN, text)


def kept_secrets(appliance: Appliance) -> list[str]:
    """Every secret that is kept, each line of those that have several, in both ways of writing."""
    vault = appliance.store.vault
    kept = {line for scope in vault.scopes("") for value in vault.all(scope).values() for line in (value, *value.splitlines())}
    written = {form for secret in kept for form in (secret, json.dumps(secret)[1:-1], json.dumps(secret, ensure_ascii=False)[1:-1])}
    return sorted((one for one in written if len(one) >= SHORTEST_SECRET), key=len, reverse=True)


def _files(appliance: Appliance, findings: Sequence[Finding], now: datetime) -> Iterator[tuple[str, str]]:
    yield "README.txt", ABOUT.format(version=__version__, at=now, operations=OPERATIONS, hidden=HIDDEN)
    for name, told in _records(appliance, findings).items():
        yield f"{name}.json", json.dumps(_plain(told), indent=1, ensure_ascii=False, default=str)
    for operation in appliance.store.operations.list(status=UNSUCCESSFUL, limit=LOGS):
        lines = appliance.store.logs.lines(operation.id, limit=LINES)
        yield f"logs/operation-{operation.id}.log", "".join(f"{line.at:%H:%M:%S} {line.step or ''} {line.text}\n" for line in lines)
    for file in sorted(appliance.settings.log.glob("*.log")):
        yield f"logs/{file.name}", _end_of(file)


def _records(appliance: Appliance, findings: Sequence[Finding]) -> Mapping[str, Any]:
    store = appliance.store
    return {
        "about": {
            "version": __version__,
            "python": platform.python_version(),
            "system": platform.platform(),
            "packages": sorted(f"{one.name} {one.version}" for one in distributions()),
        },
        "settings": appliance.settings,
        "findings": findings,
        "instances": store.instances.list(),
        "hosts": store.hosts.list(),
        "repositories": store.repositories.list(),
        "schedules": store.schedules.list(),
        "pending": store.pending.list(),
        "recovery-points": [{"instance": name, **point._asdict()} for name, point in store.points.newest().items()],
        "operations": store.operations.list(limit=OPERATIONS),
        "alerts": read_alerts(appliance),
    }


def _plain(told: Any) -> Any:
    if isinstance(told, BaseModel):
        return told.model_dump(mode="json")
    if is_dataclass(told) and not isinstance(told, type):
        return {field.name: _plain(getattr(told, field.name)) for field in fields(told)}
    if isinstance(told, Mapping):
        return {str(name): _plain(value) for name, value in told.items()}
    if isinstance(told, list | tuple):
        return [_plain(one) for one in told]
    return to_jsonable_python(told, fallback=str)


def _end_of(file: Path) -> str:
    with file.open("rb") as stream:
        stream.seek(max(0, file.stat().st_size - LOG_BYTES))
        return stream.read().decode(errors="replace")
