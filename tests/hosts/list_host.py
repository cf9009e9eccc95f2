"""Sent to a host: print what is on it, file by file (path, size, time, mode, owner) and package by package.

Left out is what changes while nobody changes anything: logs, kernel file systems, what runs, who logged in, times that systemd keeps.
"""
# mypy: ignore-errors

import os
import subprocess
from pathlib import Path

LEFT_OUT = {"/proc", "/sys", "/dev", "/run", "/tmp", "/var/tmp", "/var/log", "/var/lib/systemd", "/var/lib/private"}
UNSTEADY = {"/etc/.pwd.lock", "/var/cache/ldconfig/aux-cache"}
for top, directories, names in os.walk("/"):
    directories[:] = sorted(name for name in directories if str(Path(top, name)) not in LEFT_OUT)
    for path in (Path(top, name) for name in sorted([*directories, *names])):
        if str(path) not in UNSTEADY:
            seen = path.lstat()
            print(path, 0 if path.is_dir() else seen.st_size, seen.st_mtime_ns, oct(seen.st_mode), seen.st_uid, seen.st_gid)
print(subprocess.run(["dpkg", "-l"], stdout=subprocess.PIPE, text=True, check=True).stdout)
