"""Base images: a Debian root filesystem with systemd and sshd, built once from this machine's own mirrors and never written again."""

import fcntl
import hashlib
import json
import shutil
import time
from dataclasses import dataclass
from pathlib import Path

from tests.lab import places, records, surroundings
from tests.lab.programs import run

BUILD_SECONDS = 900
SPARED_SECONDS = 24 * 3600
"""An image of an older recipe stays so long for the hosts of another clone."""
BOOTABLE = ("systemd-sysv", "dbus", "libpam-systemd", "openssh-server")
USUAL = ("ca-certificates", "cron", "curl", "gnupg", "iproute2", "netbase", "procps", "python3", "python3-apt", "rsync", "sudo")
KINDS = {
    "server": (*BOOTABLE, *USUAL, "libfaketime"),  # as a provider hands a server out; the library is for LabHost.step_clock
    "bare": (*BOOTABLE, "git"),
}
USERS = ("admin", "nosudo")
FINISH = Path(__file__).with_name("finish_base.sh")


@dataclass(frozen=True, kw_only=True)
class Base:
    """A kind of image (see KINDS) of a Debian release."""

    release: str
    kind: str = "server"

    def recipe(self) -> dict[str, object]:
        """Everything that the image is made from."""
        certificates = {name: hashlib.sha256(content).hexdigest() for name, content in surroundings.certificates().items()}
        return {
            "packages": sorted(KINDS[self.kind]),
            "sources": surroundings.sources(self.release),
            "options": surroundings.apt_options(),
            "certificates": certificates,
            "finish": FINISH.read_text(),
        }

    def directory(self) -> Path:
        """Where the image of today's recipe is, or will be."""
        digest = hashlib.sha256(json.dumps(self.recipe(), sort_keys=True).encode()).hexdigest()
        return places.cache() / "bases" / f"{self.kind}-{self.release}-{digest[:12]}"

    def ensure(self) -> Path:
        """Return the image, built when it is not there yet (about a minute); another run that builds it is waited for."""
        directory = self.directory()
        directory.parent.mkdir(parents=True, exist_ok=True)
        with directory.with_suffix(".lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            if not directory.is_dir():
                self._build(directory)
        return directory

    def _build(self, directory: Path) -> None:
        unfinished = directory.with_suffix(".new")
        shutil.rmtree(unfinished, ignore_errors=True)
        options = [*surroundings.apt_options(), *surroundings.apt_options(("Acquire::http::Proxy ", "Acquire::https::Proxy "))]
        argv = ["mmdebstrap", "--quiet", "--variant=apt", "--mode=root", f"--include={','.join(KINDS[self.kind])}"]
        argv += [f"--aptopt={option}" for option in options]
        run(*argv, self.release, str(unfinished), *surroundings.sources(self.release), patience_seconds=BUILD_SECONDS)
        authorities = unfinished / "usr/local/share/ca-certificates"
        authorities.mkdir(parents=True, exist_ok=True)
        for name, content in surroundings.certificates().items():
            (authorities / name).write_bytes(content)
        run("chroot", str(unfinished), "sh", "-eu", "-s", *USERS, text=FINISH.read_text())
        unfinished.rename(directory)
        remove_outdated(directory)


def remove_outdated(today: Path) -> None:
    """Remove images of the same kind that were made by an older recipe, unless a host may stand on one."""
    kind = today.name.rpartition("-")[0]
    in_use = {record.base for record in records.all_of_them().values()}
    for old in today.parent.glob(f"{kind}-*[0-9a-f]"):
        if old != today and str(old) not in in_use and time.time() - old.stat().st_mtime > SPARED_SECONDS:
            shutil.rmtree(old)
            old.with_suffix(".lock").unlink(missing_ok=True)
