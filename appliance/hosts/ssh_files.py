"""The files that ssh reads to reach a managed host; they lie in the run directory, in memory where the machine has such a place.

The private key is kept encrypted in the store and laid down here, so nothing readable of it outlives a power cut on disk.
"""

import os
from pathlib import Path

from appliance.domain.host import Host

LONGEST_SOCKET_PATH = 90
"""The kernel takes 107 characters; ssh adds up to 17 while it makes the socket."""


def lay_down(run_directory: Path, host: Host, private_key: str) -> Path:
    """Write configuration, known host key and private key of a host; returns the configuration. Unchanged files are left alone."""
    directory = run_directory / "hosts" / host.name
    directory.mkdir(parents=True, exist_ok=True, mode=0o700)
    _write(directory / "key", private_key if private_key.endswith("\n") else private_key + "\n")
    _write(directory / "known_hosts", f"{host.name} {host.host_key}\n")
    configuration = directory / "ssh_config"
    _write(configuration, _text(host, directory))
    return configuration


def take_away(run_directory: Path, name: str) -> None:
    """Remove the files of a host."""
    directory = run_directory / "hosts" / name
    for file in directory.glob("*"):
        file.unlink(missing_ok=True)
    if directory.is_dir():
        directory.rmdir()


def control_path(configuration: Path, channel: str) -> str:
    """Where the shared connection of a channel listens; `none` where the path would be too long for a socket."""
    wanted = str(configuration.with_name(f"c-{channel}"))
    return wanted if len(wanted) <= LONGEST_SOCKET_PATH else "none"


def _text(host: Host, directory: Path) -> str:
    return f"""\
# Written by the appliance.
Host {host.name}
    HostName {host.address}
    Port {host.port}
    User {host.user}
    HostKeyAlias {host.name}
    CheckHostIP no
    StrictHostKeyChecking yes
    UserKnownHostsFile {directory}/known_hosts
    GlobalKnownHostsFile /dev/null
    UpdateHostKeys no
    IdentityFile {directory}/key
    IdentitiesOnly yes
    IdentityAgent none
    BatchMode yes
    PreferredAuthentications publickey
    ForwardAgent no
    RequestTTY no
    ConnectTimeout 10
    ServerAliveInterval 5
    ServerAliveCountMax 4
    LogLevel ERROR
"""


def _write(file: Path, text: str) -> None:
    if file.is_file() and file.read_text() == text:
        return
    partial = file.with_name(f"{file.name}.{os.getpid()}")
    with os.fdopen(os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as stream:
        stream.write(text)
    partial.rename(file)
