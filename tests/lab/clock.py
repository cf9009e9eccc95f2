"""A stepped clock for what starts on a host from now on, by a library that is loaded before each program."""

from datetime import timedelta
from pathlib import Path

LIBRARY = "usr/lib/*/faketime/libfaketimeMT.so.1"
PERSISTENT = "/etc/systemd/system.conf.d/lab-clock.conf"
SPARED = " ".join(f"/etc/systemd/system/{unit}.service.d/lab-clock.conf" for unit in ("systemd-", "user@", "ssh"))
"""Drop-ins for systemd's own services and sshd, which do not bear another clock than the kernel's, or end in their sandboxes."""
SUDO = "/etc/sudoers.d/lab-clock"
SET = f"""
for file in {PERSISTENT} {SPARED}; do mkdir -p "${{file%/*}}"; done
for file in {SPARED}; do printf '%s\\n' '[Service]' UnsetEnvironment=LD_PRELOAD >"$file"; done
printf '%s\\n' '[Manager]' "DefaultEnvironment=$*" >{PERSISTENT}
sed -i '/^LD_PRELOAD=/d; /^FAKETIME/d' /etc/environment
printf '%s\\n' "$@" >>/etc/environment
systemctl daemon-reload
systemctl set-environment "$@"
if [ -d {Path(SUDO).parent} ]; then echo 'Defaults env_file=/etc/environment' >{SUDO}; fi
"""
UNSET = f"""
rm -f {PERSISTENT} {SPARED} {SUDO}
sed -i '/^LD_PRELOAD=/d; /^FAKETIME/d' /etc/environment
systemctl unset-environment LD_PRELOAD FAKETIME FAKETIME_DONT_FAKE_MONOTONIC
"""


def stepping(library: str, by: timedelta) -> list[str]:
    """The command that lets programs see the time `by` later (no step: the true time again), with the library at that path."""
    if not by:
        return ["sh", "-euc", UNSET]
    # The monotonic clock stays true: programs compare it with the kernel's, which nobody steps.
    variables = {"LD_PRELOAD": library, "FAKETIME": f"{by / timedelta(seconds=1):+f}", "FAKETIME_DONT_FAKE_MONOTONIC": "1"}
    return ["sh", "-euc", SET, "-", *(f"{name}={value}" for name, value in variables.items())]
