"""One host of the lab: its power, its cable, its disk, its clock, and the way in."""

import os
import signal
import socket
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path

from tests.lab import clock, network, places, sweep
from tests.lab.cgroups import Group
from tests.lab.disk import Disk, Layers
from tests.lab.keys import KeyPair
from tests.lab.locks import Held
from tests.lab.places import Slot
from tests.lab.remote import Ended, HostFailed, Remote
from tests.lab.waiting import wait_until

KEEPER = Path(__file__).with_name("keeper.sh")
POWER_OFF_SIGNAL = signal.SIGRTMIN + 4
"""What systemd as PID 1 takes for the power button: systemd(1), "Signals"."""
BALLAST = "/var/tmp/ballast"


@dataclass(kw_only=True)
class LabHost:
    """A Debian host with systemd and sshd. `admin` has sudo without a password, `nosudo` has none; `key_file` opens both."""

    slot: Slot
    layers: Layers
    disk: Disk
    remote: Remote
    host_keys: KeyPair
    memory_bytes: int | None = None
    lock: Held
    user: str = "admin"
    port: int = 22
    _keeper: subprocess.Popen[bytes] | None = field(default=None, init=False)
    _link_state: str = field(default="up", init=False)

    @property
    def name(self) -> str:
        """Its host name."""
        return self.slot.name

    @property
    def address(self) -> str:
        """Its address, which only this machine and other hosts reach."""
        return self.slot.address

    @property
    def key_file(self) -> Path:
        """The private key of its users."""
        return self.remote.key_file

    @property
    def host_key(self) -> str:
        """Its public key, as in a known_hosts file without the name."""
        return self.host_keys.public

    @property
    def fingerprint(self) -> str:
        """Of its key, as `ssh-keygen -l` prints it."""
        return self.host_keys.fingerprint

    @property
    def group(self) -> Group:
        """All its processes."""
        return Group(name=self.slot.name)

    @property
    def boot_id(self) -> str:
        """Differs at each boot; read without the network. Raises HostFailed when the host is off."""
        return Path(f"/proc/{self._first_process()}/root/proc/sys/kernel/random/boot_id").read_text().strip()

    def run(
        self,
        command: str | Sequence[str],
        *,
        input: str | None = None,
        check: bool = True,
        user: str = "root",
        patience_seconds: float = 300,
    ) -> Ended:
        """Run a command by ssh (a string is for the shell there); raises HostFailed unless it ends well."""
        return self.remote.run(user, command, text=input, check=check, patience_seconds=patience_seconds)

    def console(self, *argv: str) -> str:
        """Run a program inside as somebody at its console would, with no network; returns what it prints, raises HostFailed."""
        entered = ["nsenter", "--all", "--target", str(self._first_process()), "--wdns=/", *argv]
        environment = {"PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", "HOME": "/root", "LC_ALL": "C.UTF-8"}
        ended = subprocess.run(entered, stdin=subprocess.DEVNULL, capture_output=True, text=True, env=environment, check=False)
        if ended.returncode:
            raise HostFailed(f"{self.name}: {' '.join(argv)} ended with {ended.returncode}:\n{ended.stdout}{ended.stderr}")
        return ended.stdout

    def put(self, file: Path, to: str) -> None:
        """Copy a file or folder of this machine to the host, as root."""
        self.remote.copy(str(file), f":{to}")

    def get(self, file: str, to: Path) -> None:
        """Copy a file or folder of the host to this machine."""
        self.remote.copy(f":{file}", str(to))

    def boot(self, *, wait: bool = True) -> None:
        """Switch it on, and wait until its users can log in."""
        joined = self.group.make(memory_bytes=self.memory_bytes)
        variables = {
            "NAME": self.name,
            "LINK": self.slot.link,
            "LINK_STATE": self._link_state,
            "MAC": self.slot.mac,
            "ADDRESS": self.address,
            "BRIDGE": places.BRIDGE,
            "JOIN": " ".join(str(file) for file in joined),
            "LOWER": self.layers.lower,
            "DIRECTORY": str(self.disk.directory),
            "HOSTS": str(self.disk.directory.parent),
        }
        with self._console_log.open("ab") as log:
            self._keeper = subprocess.Popen(
                [str(KEEPER)], env=os.environ | variables, stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True
            )
        if wait:
            self.wait_for_ssh()

    def wait_for_ssh(self, *, patience_seconds: float = 60) -> None:
        """Wait until sshd greets, which it does only when every user may log in; raises HostFailed when the host ended instead."""
        wait_until(self._greets, f"{self.name} to answer by ssh ({self._console_log})", patience_seconds=patience_seconds)

    def wait_until_running(self, *, patience_seconds: float = 60) -> str:
        """Wait until systemd has started all it was told to; returns its word for it: running, or degraded."""
        command = "systemctl is-system-running --wait"
        return self.run(command, check=False, patience_seconds=patience_seconds).stdout.strip()

    def reboot(self) -> None:
        """Reboot it in good order, and wait until its users can log in again."""
        before = self.group.first_of_guest()
        self.run("systemctl reboot", check=False)
        wait_until(lambda: self.group.first_of_guest() not in {None, before}, f"{self.name} to boot again", patience_seconds=90)
        self.wait_for_ssh()

    def stop(self) -> None:
        """Switch it off in good order."""
        os.kill(self._first_process(), POWER_OFF_SIGNAL)
        wait_until(lambda: not self.group.is_populated(), f"{self.name} to switch itself off", patience_seconds=90)
        self._reap()

    def power_cut(self) -> None:
        """End all its processes at one moment. What it had written without fsync is kept all the same: the machine did not lose power."""
        self.group.remove()  # not only emptied: Linux 6.14 and later kill what is started right into a new group below one that was killed
        self._reap()

    def destroy(self) -> None:
        """Leave nothing of it."""
        sweep.clear(self.slot)
        self._reap()
        self.lock.let_go()

    def snapshot(self, to: Path) -> Layers:
        """Switch it off and make what it wrote a golden layer at `to`, to start hosts from; this host can boot again, too."""
        if self.group.is_populated():
            self.stop()
        self.disk.move_content(to)
        self.layers = Layers(release=self.layers.release, kind=self.layers.kind, base=self.layers.base, golden=(to, *self.layers.golden))
        return self.layers

    def fill_disk(self, *, leave_bytes: int = 0) -> None:
        """Fill its disk but for `leave_bytes`; it must have one of its own size, or else this machine's would be filled."""
        if not self.disk.size_bytes:
            raise HostFailed(f"{self.name} has no disk of a size of its own; make it with disk_bytes.")
        self.run(f"head -c {leave_bytes} /dev/zero >{BALLAST}.less && cat /dev/zero >{BALLAST}; rm {BALLAST}.less", check=False)

    def free_disk(self) -> None:
        """Take away what fill_disk wrote."""
        self.console("rm", "-f", BALLAST, f"{BALLAST}.less")

    def cut_network(self) -> None:
        """Pull its cable out, until mend_network; it stays out over a reboot."""
        self._link_state = "down"
        network.switch(self.slot, "down")

    def mend_network(self) -> None:
        """Plug its cable in."""
        self._link_state = "up"
        network.switch(self.slot, "up")

    def step_clock(self, by: timedelta) -> None:
        """Let programs that start from now on see another time of day; nothing else can: Linux has one such clock for all containers.

        libfaketime is loaded before dynamically linked programs (by LD_PRELOAD, in /etc/environment and systemd's own): commands of new
        ssh connections, what they start with sudo, and services that are started or restarted. Not covered: programs that run already
        (systemd, sshd, timers), programs in Go (restic) or linked statically, `env -i`, the monotonic clock, time stamps that the
        kernel gives (files). No step (`timedelta()`) ends it.
        """
        library = next(self.layers.base.glob(clock.LIBRARY), None)
        if library is None:
            raise HostFailed(f"Images of the kind {self.layers.kind} cannot step their clock.")
        self.console(*clock.stepping(f"/{library.relative_to(self.layers.base)}", by))

    @property
    def _console_log(self) -> Path:
        return self.disk.directory / "console.log"

    def _first_process(self) -> int:
        if (process := self.group.first_of_guest()) is None:
            raise HostFailed(f"{self.name} is off.")
        return process

    def _greets(self) -> bool:
        if self._keeper and self._keeper.poll() is not None:
            said = self._console_log.read_text(errors="replace")[-2000:]
            raise HostFailed(f"{self.name} ended while it booted, with {self._keeper.returncode}: {said}")
        if self.group.first_of_guest() is None:  # a connection begun too early would wait a second for its second try
            return False
        try:
            with socket.create_connection((self.address, self.port), timeout=1) as connection:
                connection.settimeout(5)
                return connection.recv(4) == b"SSH-"
        except OSError:
            return False

    def _reap(self) -> None:
        if self._keeper:
            self._keeper.wait()
            self._keeper = None
