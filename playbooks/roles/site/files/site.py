"""Switch a site to a deployment, reload nginx, and return once nothing but the new configuration answers.

Read by a task through standard input: `python3 - JSON`. Prints one JSON object with `changed`. The JSON holds `configuration`, `reload`
(argument list), `url`, `host` (the Host header), and for a switch `root`, `deployment` and `lift`: the maintenance flag to remove at the
end, or "". Without `deployment` nginx is reloaded whatever it serves. A reload is asynchronous: for a moment both the old and the new
worker processes accept, and a configuration that cannot be loaded is only written to a log.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
import urllib.error
import urllib.request
from dataclasses import dataclass
from pathlib import Path

GIVE_UP_AFTER_SECONDS = 20.0
# nginx tells its old workers to quit 100 ms after it has started the new ones.
UNBROKEN_SECONDS = 0.2
POLL_SECONDS = 0.02


@dataclass(frozen=True, kw_only=True)
class Request:
    """What the task asked for."""

    configuration: str
    reload: list[str]
    url: str
    host: str
    root: str = ""
    deployment: str = ""
    lift: str = ""


def run(argv: list[str]) -> None:
    """Run a program or end with its error output."""
    done = subprocess.run(argv, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        sys.exit(f"{' '.join(argv)} failed: {done.stderr.strip() or done.stdout.strip()}\nnginx goes on with what it had loaded.")


def point(root: Path, deployment: str) -> bool:
    """Replace the symbolic link `current` in one rename and make it durable."""
    link, target = root / "current", f"deployments/{deployment}"
    if link.is_symlink() and str(link.readlink()) == target:
        return False
    new = root / ".current.new"
    new.unlink(missing_ok=True)
    new.symlink_to(target)
    new.replace(link)
    directory = os.open(root, os.O_RDONLY)
    os.fsync(directory)
    os.close(directory)
    return True


def answer(request: Request) -> str | None:
    """Which deployment nginx says it serves; "" when it serves none, None when it does not answer."""
    headers = {"Host": request.host} if request.host else {}
    question = urllib.request.Request(f"{request.url}/.appliance/deployment", headers=headers)  # noqa: S310 - the site's own http address
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    try:
        with opener.open(question, timeout=2) as response:
            return str(response.read().decode().strip())
    except urllib.error.HTTPError as refused:
        refused.close()
        return ""
    except OSError:
        return None


def wait(request: Request) -> None:
    """Return when nothing but the expected answer came for a while."""
    deadline = time.monotonic() + GIVE_UP_AFTER_SECONDS
    since: float | None = None
    while since is None or time.monotonic() - since < UNBROKEN_SECONDS:
        got = answer(request)
        right = got is not None and (not request.deployment or got == request.deployment)
        since = (since or time.monotonic()) if right else None
        if time.monotonic() > deadline:
            sys.exit(f"After its reload nginx answers {got!r} at {request.url}, not {request.deployment!r}; see nginx's error log.")
        time.sleep(POLL_SECONDS)


def lift(flag: str) -> bool:
    """Open the site again. True when it was closed."""
    if not flag or not Path(flag).exists():
        return False
    Path(flag).unlink()
    return True


def main(text: str) -> int:
    """Switch, test, reload, wait, open."""
    request = Request(**json.loads(text))
    moved = bool(request.deployment) and point(Path(request.root), request.deployment)
    behind = moved or not request.deployment or answer(request) != request.deployment
    if behind:
        run(["nginx", "-t", "-q", "-c", request.configuration])
        run(request.reload)
        wait(request)
    lifted = lift(request.lift)
    print(json.dumps({"changed": behind or lifted}))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
