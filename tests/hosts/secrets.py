"""Look for secrets where nobody may find any: command lines, files, journals and temporary places of both machines."""

import json
import time
from collections.abc import Iterator
from pathlib import Path

from tests.hosts.world import CRM, World
from tests.support.watching import CommandLineWatch

SEARCH = Path(__file__).with_name("search_host.py")
KEPT_ON_HOST = f"/srv/crm/{CRM}/secrets"
RECENT_SECONDS = 1800
LARGEST_BYTES = 50_000_000


def secrets_of(world: World, **more: str) -> dict[str, str]:
    """Every secret that this appliance keeps, by what it is; of a private key a line in its middle."""
    vault = world.appliance.store.vault
    scopes = [CRM, *vault.scopes("repository:")]
    found = {f"{scope} {name}": value for scope in scopes for name, value in vault.all(scope).items()}
    for name in world.hosts:
        found[f"key of {name}"] = vault.get(f"host:{name}", "ssh_key").splitlines()[2]
    assert all(len(value) >= 16 for value in found.values()), "too short to be looked for"
    return found | more


def leaks(world: World, watch: CommandLineWatch, **more: str) -> list[str]:
    """Each secret with the place where it stands and must not. The watch sees the lab hosts' processes too: they run on this machine."""
    secrets = secrets_of(world, **more)
    arguments = [f"{name} in an argument" for line in watch.seen for name, value in secrets.items() if value.encode() in line]
    here = [f"{name} in {file}" for file in _written_here(world) for name, value in secrets.items() if value.encode() in _content(file)]
    return arguments + here + _said_in_logs(world, secrets) + _on_hosts(world, secrets)


def _content(file: Path) -> bytes:
    try:
        return file.read_bytes()
    except FileNotFoundError:  # somebody else's, in /tmp
        return b""


def _on_hosts(world: World, secrets: dict[str, str]) -> list[str]:
    given = json.dumps({"secrets": secrets, "kept": [KEPT_ON_HOST], "program": SEARCH.read_text()})
    start = "import json, sys; given = json.load(sys.stdin); exec(given['program'])"
    said = {name: host.run(["python3", "-c", start], input=given).stdout for name, host in world.hosts.items()}
    found = {name: json.loads(output) for name, output in said.items()}
    assert all(one["files"] > 100 and one["journal_bytes"] > 1000 for one in found.values()), "the search did not look at anything"
    return [f"{leak} on {name}" for name, one in found.items() for leak in one["leaks"]]


def _said_in_logs(world: World, secrets: dict[str, str]) -> list[str]:
    store = world.appliance.store
    texts = [line.text for one in store.operations.list(limit=1000) for line in store.logs.lines(one.id, limit=100_000)]
    return [f"{name} in the log of an operation" for text in texts for name, value in secrets.items() if value in text]


def _written_here(world: World) -> Iterator[Path]:
    own_keys = world.settings.run / "hosts"
    for file in world.directory.rglob("*"):
        if file.is_file() and own_keys not in file.parents:
            yield file
    for pattern in ("*", "*/*", "ansible*/**/*"):
        yield from (file for file in Path("/tmp").glob(pattern) if _is_recent(file))


def _is_recent(file: Path) -> bool:
    try:
        seen = file.stat()
    except OSError:
        return False
    return file.is_file() and time.time() - seen.st_mtime < RECENT_SECONDS and seen.st_size < LARGEST_BYTES
