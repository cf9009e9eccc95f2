"""Let each part of the stack run with the unit and the files that are there now, and prove that it answers.

Argument: {"directory": …, "keep": names of files, "parts": [{"name": …, "port": …, "ready": path, "reads": patterns}]} as JSON; a part
with "restarts" reads nothing again. Files that are not to be kept go. What a part runs with is noted, in memory, after it has answered:
what a run that is cut off has not done, the next one does.
"""

import hashlib
import http.client
import json
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

NOTES = Path("/run/crm-monitoring")
PATIENCE_SECONDS = 60.0


def main(asked: "dict[str, Any]") -> bool:
    """Whether something was changed."""
    directory = Path(asked["directory"])
    NOTES.mkdir(mode=0o755, exist_ok=True)
    outdated = [file for file in directory.iterdir() if file.name not in asked["keep"]]
    for file in outdated:
        file.unlink()
    changed = [bring_up(part, directory) for part in asked["parts"]]
    return bool(outdated) or any(changed)


def bring_up(part: "dict[str, Any]", directory: Path) -> bool:
    """Restart what has another unit, let read again what has other files; nothing where both are noted and it runs."""
    unit, files = digest([Path(f"/etc/systemd/system/{part['name']}.service.d/crm-appliance.conf")]), digest(read_by(part, directory))
    note = NOTES / part["name"]
    noted = note.read_text().split() if note.exists() else ["", ""]
    is_running = output("systemctl", "is-active", part["name"]).strip() == "active"
    is_enabled = output("systemctl", "is-enabled", part["name"]).strip() == "enabled"
    if noted == [unit, files] and is_running and is_enabled:
        return False
    systemctl("daemon-reload")
    systemctl("enable", "--quiet", part["name"])
    systemctl("reload" if noted[0] == unit and is_running and not part.get("restarts") else "restart", part["name"])
    await_answer(part)
    note.write_text(f"{unit} {files}")
    return True


def read_by(part: "dict[str, Any]", directory: Path) -> "list[Path]":
    """The files that a part reads."""
    return sorted(found for pattern in part["reads"] for found in directory.glob(pattern))


def digest(files: "list[Path]") -> str:
    """Of names and contents."""
    made = hashlib.sha256()
    for file in files:
        made.update(file.name.encode() + b"\0" + hashlib.sha256(file.read_bytes()).digest())
    return made.hexdigest()


def await_answer(part: "dict[str, Any]") -> None:
    """Ends the program with a sentence when it does not answer in time."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    while not answers(part):
        if time.monotonic() > deadline:
            said = output("journalctl", "--unit", part["name"], "--lines", "3", "--output", "cat")
            sys.exit(f"{part['name']} does not answer on port {part['port']}: {said.strip()}")
        time.sleep(0.2)


def answers(part: "dict[str, Any]") -> bool:
    """Whether it works."""
    connection = http.client.HTTPConnection("127.0.0.1", part["port"], timeout=5)
    try:
        connection.request("GET", part["ready"])
        return connection.getresponse().status == http.HTTPStatus.OK
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()


def systemctl(*words: str) -> None:
    """Ends the program with what systemctl says where it fails."""
    done = subprocess.run(["systemctl", *words], capture_output=True, text=True, check=False)
    if done.returncode:
        sys.exit(f"systemctl {' '.join(words)}: {done.stderr.strip()}")


def output(*argv: str) -> str:
    """What a program prints, also when it fails."""
    return subprocess.run(argv, capture_output=True, text=True, check=False).stdout


if __name__ == "__main__":
    print(json.dumps({"changed": main(json.loads(sys.argv[1]))}))
