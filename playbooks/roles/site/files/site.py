"""Switch a site to a deployment, reload nginx, and return once nothing but the new configuration answers.

Read by a task through standard input: `python3 - JSON`. Prints one JSON object with `changed`. The JSON holds `configuration`, `reload`
(argument list), `address`, `port`, `domain`, `encrypted`, and for a switch `root`, `deployment` and `lift`: the maintenance flag to
remove at the end, or "". Without `deployment` nginx is reloaded whatever it serves; `certificate` is the beginning of the SHA-256
fingerprint of the certificate that has to be served then, or "". `only_test` tests nginx's configuration and does nothing else.

A reload is asynchronous: for a moment both the old and the new worker processes accept, and a configuration that cannot be loaded is
only written to a log. So the configuration is tested before the link is moved and after: whoever breaks nginx's configuration elsewhere
is named while nothing has happened yet, and what the new deployment breaks is taken back before nginx has seen it.
"""

from __future__ import annotations

import hashlib
import http.client
import json
import os
import re
import socket
import ssl
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path

GIVE_UP_AFTER_SECONDS = 20.0
# nginx tells its old workers to quit 100 ms after it has started the new ones.
UNBROKEN_SECONDS = 0.2
POLL_SECONDS = 0.02
FINGERPRINT_LENGTH = 16


@dataclass(frozen=True, kw_only=True)
class Request:
    """What the task asked for."""

    configuration: str
    reload: list[str]
    address: str
    port: int
    domain: str
    encrypted: bool = False
    certificate: str = ""
    root: str = ""
    deployment: str = ""
    lift: str = ""
    only_test: bool = False


@dataclass(frozen=True, kw_only=True)
class Answer:
    """Which deployment nginx says it serves ("" when none), and the certificate it shows."""

    deployment: str
    certificate: str


def test(configuration: str) -> str:
    """What nginx has against its configuration; "" when it would load it."""
    done = subprocess.run(["nginx", "-t", "-q", "-c", configuration], capture_output=True, text=True, check=False)
    return "" if done.returncode == 0 else done.stderr.strip() or done.stdout.strip() or f"nginx -t ended with {done.returncode}"


def refuse_broken(request: Request) -> None:
    """End while nothing has happened, with the name of the file that is broken."""
    if problem := test(request.configuration):
        place = re.search(r" in (\S+):(\d+)", problem)
        where = f"{place[1]}, line {place[2]}, is broken" if place else "It is broken"
        sys.exit(
            f"nginx could not load its configuration: {problem}\n{where}. "
            "Nothing was moved and nginx goes on with what it had loaded. Mend or remove it (nginx -t tells), then try again."
        )


def point(root: Path, target: str) -> None:
    """Replace the symbolic link `current` in one rename and make it durable; "" removes it."""
    link = root / "current"
    if target:
        new = root / ".current.new"
        new.unlink(missing_ok=True)
        new.symlink_to(target)
        new.replace(link)
    else:
        link.unlink(missing_ok=True)
    directory = os.open(root, os.O_RDONLY)
    os.fsync(directory)
    os.close(directory)


def move(request: Request) -> bool:
    """Point to the deployment, unless nginx could not load that. True when something was moved."""
    root, target = Path(request.root), f"deployments/{request.deployment}"
    link = root / "current"
    before = str(link.readlink()) if link.is_symlink() else ""
    if before == target:
        return False
    refuse_broken(request)
    point(root, target)
    if problem := test(request.configuration):
        point(root, before)
        sys.exit(f"nginx cannot load the deployment {request.deployment}: {problem}\nWhat served before serves on.")
    return True


def connect(request: Request) -> socket.socket:
    """A connection as a visitor's; who the certificate belongs to is not asked here."""
    plain = socket.create_connection((request.address, request.port), timeout=2)
    if not request.encrypted:
        return plain
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    try:
        return context.wrap_socket(plain, server_hostname=request.domain)
    except OSError:
        plain.close()
        raise


def ask(request: Request) -> Answer | None:
    """What nginx answers; None when it does not."""
    connection = http.client.HTTPConnection(request.address, request.port, timeout=2)
    try:
        connection.sock = connect(request)
        shown = connection.sock.getpeercert(binary_form=True) if isinstance(connection.sock, ssl.SSLSocket) else None
        connection.request("GET", "/.appliance/deployment", headers={"Host": request.domain} if request.domain else {})
        response = connection.getresponse()
        body = response.read().decode(errors="replace").strip()
        certificate = hashlib.sha256(shown).hexdigest()[:FINGERPRINT_LENGTH] if shown else ""
        return Answer(deployment=body if response.status == http.HTTPStatus.OK else "", certificate=certificate)
    except (OSError, http.client.HTTPException):
        return None
    finally:
        connection.close()


def is_right(request: Request, got: Answer | None) -> bool:
    """Whether it is what was asked for."""
    if got is None or (request.deployment and got.deployment != request.deployment):
        return False
    return not request.certificate or got.certificate == request.certificate


def wait(request: Request) -> None:
    """Return when nothing but the expected answer came for a while."""
    deadline = time.monotonic() + GIVE_UP_AFTER_SECONDS
    since: float | None = None
    while since is None or time.monotonic() - since < UNBROKEN_SECONDS:
        got = ask(request)
        since = (since or time.monotonic()) if is_right(request, got) else None
        if time.monotonic() > deadline:
            wanted = request.deployment or request.certificate or "an answer"
            sys.exit(f"After its reload nginx gives {got} at {request.address}:{request.port}, not {wanted}; see nginx's error log.")
        time.sleep(POLL_SECONDS)


def reload(request: Request) -> None:
    """Let nginx read its configuration again, and wait until it has."""
    done = subprocess.run(request.reload, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        sys.exit(f"{' '.join(request.reload)} failed: {done.stderr.strip() or done.stdout.strip()}\nnginx goes on with what it had loaded.")
    wait(request)


def lift(flag: str) -> bool:
    """Open the site again. True when it was closed."""
    if not flag or not Path(flag).exists():
        return False
    Path(flag).unlink()
    return True


def main(text: str) -> int:
    """Test, switch, reload, wait, open."""
    request = Request(**json.loads(text))
    if request.only_test:
        refuse_broken(request)
        print(json.dumps({"changed": False}))
        return 0
    moved = bool(request.deployment) and move(request)
    behind = moved or not request.deployment or not is_right(request, ask(request))
    if behind:
        if not moved:
            refuse_broken(request)
        reload(request)
    lifted = lift(request.lift)
    print(json.dumps({"changed": behind or lifted}))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
