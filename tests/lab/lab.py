"""A run of the lab: makes hosts, and leaves nothing behind."""

import functools
import os
import tempfile
import threading
import uuid
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from tests.lab import ability, keys, locks, network, places, proxy, records, surroundings, sweep
from tests.lab.base import USERS, Base
from tests.lab.disk import Disk, Layers
from tests.lab.host import LabHost
from tests.lab.locks import Held
from tests.lab.places import Slot
from tests.lab.remote import HostFailed, Remote

FIRST_USER_ID = 1000


@dataclass(kw_only=True)
class Lab:
    """What makes hosts in this process; `Lab.open` makes one."""

    directory: Path
    """For golden layers; removed at the end."""
    _locks: list[Held]
    hosts: list[LabHost] = field(default_factory=list)
    _bases: dict[Base, Path] = field(default_factory=dict)
    _making: threading.Lock = field(default_factory=threading.Lock)

    @classmethod
    def open(cls) -> "Lab":
        """Sweep up after dead runs, and have bridge and proxy ready; raises NoLab where there can be none."""
        if reason := ability.why_not():
            raise ability.NoLab(reason)
        with locks.guard():
            sweep.sweep(spare=records.kept())
            used = locks.take(sweep.IN_USE, shared=True, wait=True)
            network.make_bridge()
            proxy.start()
            sweep.runs().mkdir(parents=True, exist_ok=True)
            directory = Path(tempfile.mkdtemp(dir=sweep.runs()))
            owned = locks.take(directory.with_suffix(".lock"))
        assert used is not None
        assert owned is not None
        return cls(directory=directory, _locks=[used, owned])

    def close(self) -> None:
        """Destroy this run's hosts, and bridge and proxy when nobody else uses them."""
        for host in list(self.hosts):
            self.destroy(host)
        with locks.guard():
            for held in self._locks:
                held.let_go()
            sweep.sweep(spare=records.kept())
            sweep.remove_shared_when_unused()

    def host(
        self,
        *,
        release: str = "bookworm",
        kind: str = "server",
        disk_bytes: int | None = None,
        memory_bytes: int | None = None,
        golden: Layers | None = None,
        kept: bool = False,
    ) -> LabHost:
        """Make a host and boot it. `golden` is what LabHost.snapshot gave; a host that is `kept` outlives this process."""
        layers = golden or Layers(release=release, kind=kind, base=self._image(Base(release=release, kind=kind)))
        slot, lock = self._take_slot(layers, kept=kept)
        disk = Disk(directory=slot.directory, size_bytes=disk_bytes)
        disk.make()
        host_keys = keys.make()
        remote = _identify(slot, host_keys)
        host = LabHost(slot=slot, layers=layers, disk=disk, remote=remote, host_keys=host_keys, memory_bytes=memory_bytes, lock=lock)
        self.hosts.append(host)
        host.boot()
        return host

    def many(self, count: int, **choices: object) -> list[LabHost]:
        """Make `count` hosts of one kind at once."""
        with ThreadPoolExecutor(max_workers=count) as pool:
            return list(pool.map(lambda _: self.host(**choices), range(count)))  # type: ignore[arg-type]

    def destroy(self, host: LabHost) -> None:
        """Leave nothing of a host of this run."""
        host.destroy()
        self.hosts.remove(host)

    def snapshot(self, host: LabHost) -> Layers:
        """Make what a host wrote a golden layer, which lasts as long as this run."""
        return host.snapshot(self.directory / uuid.uuid4().hex[:8])

    @contextmanager
    def lending(self) -> Iterator["Lending"]:
        """Hosts for the length of a block."""
        lending = Lending(lab=self)
        try:
            yield lending
        finally:
            for host in lending.hosts:
                self.destroy(host)

    def _image(self, base: Base) -> Path:
        with self._making:
            if base not in self._bases:
                self._bases[base] = base.ensure()
            return self._bases[base]

    def _take_slot(self, layers: Layers, *, kept: bool) -> tuple[Slot, Held]:
        with self._making:
            taken = records.kept()
            for slot in places.SLOTS:
                if slot in taken or (lock := locks.take(slot.lock)) is None:
                    continue
                if sweep.is_used(slot):
                    sweep.clear(slot)
                boot = records.this_boot()
                known = records.Record(
                    directory=str(slot.directory),
                    release=layers.release,
                    kind=layers.kind,
                    base=str(layers.base),
                    kept=kept,
                    machine_boot=boot,
                )
                records.write(slot, known)
                return slot, lock
        raise HostFailed(f"All {len(places.SLOTS)} places for hosts are taken.")


@dataclass(kw_only=True)
class Lending:
    """Makes hosts as Lab.host does, and remembers them, so that they end with the test that asked for them."""

    lab: Lab
    hosts: list[LabHost] = field(default_factory=list)

    def __call__(
        self,
        release: str = "bookworm",
        *,
        kind: str = "server",
        disk_bytes: int | None = None,
        memory_bytes: int | None = None,
        golden: Layers | None = None,
    ) -> LabHost:
        """A host that has booted."""
        host = self.lab.host(release=release, kind=kind, disk_bytes=disk_bytes, memory_bytes=memory_bytes, golden=golden)
        self.hosts.append(host)
        return host

    def many(self, count: int, release: str = "bookworm", *, golden: Layers | None = None) -> list[LabHost]:
        """Several at once."""
        made = self.lab.many(count, release=release, golden=golden)
        self.hosts += made
        return made


@functools.cache
def _settings_files() -> dict[str, str]:
    return surroundings.settings_files(proxy.URL)


def _identify(slot: Slot, host_keys: keys.KeyPair) -> Remote:
    """Write what tells this host from others: the seed that is laid over its disk at its first boot, and the keys that open it."""
    root, users = keys.make(), keys.make()
    seed = slot.directory / "seed"
    files = _settings_files() | {
        "etc/hostname": f"{slot.name}\n",
        "etc/hosts": f"127.0.0.1 localhost\n::1 localhost\n{slot.address} {slot.name}\n",
        "etc/machine-id": f"{uuid.uuid4().hex}\n",
        "etc/ssh/ssh_host_ed25519_key": host_keys.private,
        "etc/ssh/ssh_host_ed25519_key.pub": f"{host_keys.public}\n",
        "root/.ssh/authorized_keys": f"{root.public}\n",
    }
    for path, content in files.items():
        _seed(seed / path, content, mode=0o600 if path.endswith("_key") else 0o644)
    for number, user in enumerate(USERS):
        for path in (".ssh/authorized_keys", ".npmrc"):
            content = f"{users.public}\n" if path.startswith(".ssh") else files["root/.npmrc"]
            _seed(seed / "home" / user / path, content, owner=FIRST_USER_ID + number)
    known_hosts = slot.directory / "known_hosts"
    known_hosts.write_text(f"{slot.address} {host_keys.public}\n")
    return Remote(
        address=slot.address,
        port=22,
        known_hosts=known_hosts,
        root_key=root.save(slot.directory / "root_key"),
        key_file=users.save(slot.directory / "key"),
    )


def _seed(file: Path, content: str, *, mode: int = 0o644, owner: int = 0) -> None:
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(content)
    file.chmod(mode)
    os.chown(file, owner, owner)
