"""OpenSSH's own server as a process of a test's: its own keys and port, and nothing but files by SFTP below one user's key."""

import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.support.house import wait_for
from tests.support.rest_server import free_port, listens

PRIVILEGE_SEPARATION = Path("/run/sshd")
CONFIGURATION = """\
ListenAddress 127.0.0.1:{port}
HostKey {folder}/host_key
AuthorizedKeysFile {folder}/authorized_keys
PidFile none
StrictModes no
UsePAM no
PasswordAuthentication no
KbdInteractiveAuthentication no
AllowUsers root
PermitRootLogin prohibit-password
Subsystem sftp internal-sftp
ForceCommand internal-sftp
"""


@dataclass(frozen=True, kw_only=True)
class SshServer:
    """Where it listens, and the files of one who may log in."""

    folder: Path
    port: int

    @property
    def key_file(self) -> Path:
        return self.folder / "user_key"

    @property
    def known_hosts(self) -> Path:
        return self.folder / "known_hosts"


@contextmanager
def ssh_server(folder: Path) -> Iterator[SshServer]:
    """Serve whatever the authorized key's owner asks for by SFTP, for the length of a block."""
    folder.mkdir()
    PRIVILEGE_SEPARATION.mkdir(exist_ok=True)  # Debian's unit makes it; sshd starts without it nowhere
    made = SshServer(folder=folder, port=free_port())
    for name in ("host_key", "user_key"):
        make_key(folder / name)
    (folder / "authorized_keys").write_text((folder / "user_key.pub").read_text())
    made.known_hosts.write_text(known_host(made.port, folder / "host_key.pub"))
    (folder / "sshd_config").write_text(CONFIGURATION.format(port=made.port, folder=folder))
    server = subprocess.Popen(["/usr/sbin/sshd", "-D", "-e", "-f", str(folder / "sshd_config")], stderr=subprocess.DEVNULL)
    try:
        wait_for(lambda: listens(made.port))
        yield made
    finally:
        server.terminate()
        server.wait(20)


def make_key(file: Path) -> None:
    """A key of its own, and beside it its public part."""
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", "test", "-f", str(file)], check=True)


def known_host(port: int, public_key: Path) -> str:
    """The line by which ssh knows the server."""
    return f"[127.0.0.1]:{port} {' '.join(public_key.read_text().split()[:2])}\n"
