"""A recovery point of `sales` whose files are real, in the appliance's own repository: with names of every kind."""

import json
import subprocess
import sys
from datetime import datetime
from pathlib import Path
from typing import Any

from appliance.domain.instance import RecoveryPoint
from appliance.operations.steps.repositories import LOCAL_REPOSITORY, PASSWORD, PASSWORD_LENGTH, repository_scope
from appliance.wiring import Appliance
from tests.support.cheap_restic_key import make_opening_cheap

POINT = "sales-files"
HOSTILE = (
    'report "1"\nof\'May.txt',
    "--password-command=touch pwned",
    "-rf",
    "<img src=x onerror=alert(1)>",
    "a:b [red] [bold",
    "\u202egpj.exe",
    "\x1b[2Jé",
    "a&path=b#c?d%2e",
)


def hold_files(appliance: Appliance, uploads: Path) -> RecoveryPoint:
    """Save some uploads, and let the appliance know of the point as a backup would."""
    fill(uploads)
    settings = appliance.settings
    password = appliance.store.vault.ensure(repository_scope(LOCAL_REPOSITORY), PASSWORD, PASSWORD_LENGTH)
    file = settings.home / "password"
    file.write_text(password)
    repository = {"location": str(settings.repository_directory), "password_file": str(file)}
    _backup("init", repository=repository)
    make_opening_cheap(settings.repository_directory, password)
    facts = {"deployment": {"files": str(uploads)}, "product": "p", "release": "1"}
    spec: dict[str, Any] = {"crm": "sales", "point": POINT, "database": None, "paths": [str(uploads)], "record": facts}
    record = _backup("backup", repository=repository, **spec)
    file.unlink()  # whoever reads is lent the password
    at = datetime.fromisoformat(record["at"])
    point = RecoveryPoint(id=POINT, instance="sales", at=at, repository=LOCAL_REPOSITORY, record=record)
    appliance.store.points.add(point)
    return point


def fill(uploads: Path) -> None:
    """Files with names of every kind, some in folders, and a link."""
    (uploads / "2026" / "may").mkdir(parents=True, exist_ok=True)
    (uploads / "2026" / "may" / "invoice.pdf").write_text("an invoice")
    (uploads / "link").symlink_to("/etc/passwd")
    for name in HOSTILE:
        (uploads / name).write_text(f"in {name}")


def _backup(verb: str, **spec: Any) -> Any:
    done = subprocess.run([sys.executable, "-m", "backup", verb], input=json.dumps(spec), capture_output=True, text=True, check=True)
    return json.loads(done.stdout.splitlines()[-1])
