"""The key that a machine shows before anybody logs in, and the fingerprint that an administrator compares."""

import base64
import binascii
import hashlib
import subprocess

from appliance.errors import HostUnreachable

ALGORITHMS = ("ssh-ed25519", "ecdsa-sha2-nistp256", "rsa-sha2-512", "ssh-rsa")
"""In the order of preference."""
PATIENCE_SECONDS = 10


def scan(address: str, port: int) -> str:
    """Ask a machine for its public key; returns `ALGORITHM BASE64`. Raises HostUnreachable."""
    argv = ["ssh-keyscan", "-T", str(PATIENCE_SECONDS), "-p", str(port), "--", address]
    try:
        done = subprocess.run(argv, capture_output=True, text=True, check=False, timeout=3 * PATIENCE_SECONDS)
    except subprocess.TimeoutExpired:
        raise _silent(address, port) from None
    lines = [line.split() for line in done.stdout.splitlines() if line and not line.startswith("#")]
    keys = {fields[1]: fields[2] for fields in lines if len(fields) == 3}  # noqa: PLR2004 - address, algorithm, key
    for algorithm in ALGORITHMS:
        if algorithm in keys:
            return f"{algorithm} {keys[algorithm]}"
    raise _silent(address, port)


def fingerprint(host_key: str) -> str:
    """The fingerprint of a public key as `ssh-keygen -l` prints it (SHA256:…)."""
    try:
        blob = base64.b64decode(host_key.split()[1], validate=True)
    except (IndexError, binascii.Error):
        return "not a key"
    return "SHA256:" + base64.b64encode(hashlib.sha256(blob).digest()).decode().rstrip("=")


def _silent(address: str, port: int) -> HostUnreachable:
    return HostUnreachable(
        f"No SSH server answers at {address} port {port}. Nothing was changed; see that the machine is on, that sshd runs there, "
        "and that no firewall is in the way."
    )
