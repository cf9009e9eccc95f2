"""Fixtures: bare hosts brought to production by the README's command, and kept as golden layers for as long as the sources are the same."""

import hashlib
import json
import re
import shutil
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.lab import locks, places
from tests.lab.base import SPARED_SECONDS, Base
from tests.lab.clone import PLACE, clone_into
from tests.lab.disk import Layers
from tests.lab.lab import Lab, Lending
from tests.lab.programs import run
from tests.production.site import DOMAIN, Site, build_wheel

RELEASES = ("bookworm", "trixie")
UP = f"cd {PLACE} && bin/up --production --domain {DOMAIN}"
SOURCES = ("appliance", "backup", "monitoring", "playbooks", "requirements", "bin", "pyproject.toml", "hatch_build.py", "README.md")


@dataclass(frozen=True, kw_only=True)
class Produced:
    """What hosts start from, and what the first run and the second said."""

    layers: Layers
    first: str
    second: str

    @property
    def password(self) -> str:
        """The administrator's one-time password."""
        found = re.search(r"One-time password +(\S+)", self.first)
        assert found, self.first
        return found[1]


def _produce(lab: Lab, release: str) -> Produced:
    """By the clone's HEAD, unless that was done before."""
    base = Base(release=release, kind="bare")
    image = base.ensure()
    committed = run("git", "-C", str(places.TREE), "rev-parse", *(f"HEAD:{name}" for name in SOURCES))
    digest = hashlib.sha256(f"{committed}{image}{Path(__file__).read_text()}".encode()).hexdigest()
    directory = places.cache() / "golden" / f"production-{release}-{digest[:12]}"
    directory.parent.mkdir(parents=True, exist_ok=True)
    held = locks.take(directory.with_suffix(".lock"), wait=True)
    assert held is not None
    try:
        if not directory.is_dir():
            _make(lab, release, directory)
    finally:
        held.let_go()
    known = json.loads((directory / "known.json").read_text())
    return Produced(layers=Layers(release=release, kind=base.kind, base=image, golden=(directory / "layer",)), **known)


def _make(lab: Lab, release: str, directory: Path) -> None:
    unfinished = directory.with_suffix(".new")
    shutil.rmtree(unfinished, ignore_errors=True)
    unfinished.mkdir(mode=0o700)
    with lab.lending() as lend:
        host = lend(release, kind="bare")
        clone_into(host)
        began = time.monotonic()
        first = host.run(UP, patience_seconds=900).stdout
        first += f"{release}: bin/up --production on a bare machine took {time.monotonic() - began:.0f} s\n"
        second = host.run(UP, patience_seconds=300).stdout
        host.snapshot(unfinished / "layer")
    (unfinished / "known.json").write_text(json.dumps({"first": first, "second": second}))
    for old in directory.parent.glob(f"production-{release}-*"):
        if old.is_dir() and old != unfinished and time.time() - old.stat().st_mtime > SPARED_SECONDS:
            shutil.rmtree(old)
            old.with_suffix(".lock").unlink(missing_ok=True)
    unfinished.rename(directory)


@pytest.fixture(scope="session")
def produced(lab: Lab) -> dict[str, Produced]:
    """Both releases of Debian, made at the same time."""
    with ThreadPoolExecutor() as pool:
        return dict(zip(RELEASES, pool.map(lambda release: _produce(lab, release), RELEASES), strict=True))


@pytest.fixture(scope="session")
def standing(lab: Lab, produced: dict[str, Produced]) -> Iterator[Callable[[str], Site]]:
    """`standing("trixie")`: one that tests share which only look."""
    with lab.lending() as lend:
        made = {release: Site(host=lend(release, golden=produced[release].layers)) for release in RELEASES}
        for one in made.values():
            one.answers_again()
        yield lambda release: made[release]


@pytest.fixture
def site(host: Lending, produced: dict[str, Produced]) -> Callable[[str], Site]:
    """`site("trixie")`: a production machine of its own that has just booted."""

    def booted(release: str) -> Site:
        made = Site(host=host(release, golden=produced[release].layers))
        made.answers_again()
        return made

    return booted


@pytest.fixture(scope="session")
def good_wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A newer version that works."""
    return build_wheel(tmp_path_factory.mktemp("good"), "7.0.0")
