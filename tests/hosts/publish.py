"""Publish a package in an archive of this host's own, which its apt takes for Debian's security archive. Run there by `archive.py`.

The package brings a program that runs as a service. Arguments: the version, and what else installing it does: `sick` turns every
visitor of nginx away, `reboot` asks for a reboot.
"""

import hashlib
import shutil
import subprocess
import sys
from email.utils import formatdate
from pathlib import Path

PACKAGE = "lab-clock"
ARCHIVE = Path("/srv/lab-archive")
SOURCES = Path("/etc/apt/sources.list.d/lab-archive.list")
UNIT = f"[Service]\nExecStart=/usr/lib/{PACKAGE}/clock infinity\n[Install]\nWantedBy=multi-user.target\n"
POSTINST = """#!/bin/sh
set -e
systemctl daemon-reload
systemctl enable --quiet --now {package}
if systemctl --quiet is-active nginx; then systemctl reload nginx; fi
{more}
"""
RELEASE = """Origin: Debian
Label: Debian-Security
Suite: oldstable-security
Codename: bookworm-security
Date: {date}
Architectures: all amd64
SHA256:
 {digest} {size} Packages
"""


def build(version: str, more: "list[str]") -> None:
    """Make the package. Its program is not the one of the version before, byte for byte."""
    tree = ARCHIVE / "tree"
    shutil.rmtree(tree, ignore_errors=True)
    program = tree / "usr/lib" / PACKAGE / "clock"
    for directory in (program.parent, tree / "DEBIAN", tree / "lib/systemd/system"):
        directory.mkdir(parents=True)
    program.write_bytes(Path("/bin/sleep").read_bytes() + version.encode())
    program.chmod(0o755)
    (tree / "lib/systemd/system" / f"{PACKAGE}.service").write_text(UNIT)
    if "sick" in more:
        (tree / "etc/nginx/conf.d").mkdir(parents=True)
        (tree / "etc/nginx/conf.d/lab-sick.conf").write_text("deny all;\n")
    control = f"Package: {PACKAGE}\nVersion: {version}\nArchitecture: all\nMaintainer: The lab <lab@example.org>\nDescription: x\n"
    (tree / "DEBIAN/control").write_text(control)
    script = tree / "DEBIAN/postinst"
    script.write_text(POSTINST.format(package=PACKAGE, more="touch /run/reboot-required" if "reboot" in more else ""))
    script.chmod(0o755)
    subprocess.run(["dpkg-deb", "--build", "--root-owner-group", tree, ARCHIVE / f"{PACKAGE}_{version}_all.deb"], check=True)
    shutil.rmtree(tree)


def index() -> None:
    """Write what apt reads."""
    entries = []
    for file in sorted(ARCHIVE.glob("*.deb")):
        control = subprocess.run(["dpkg-deb", "--field", file], capture_output=True, text=True, check=True).stdout
        content = file.read_bytes()
        entries.append(f"{control}Filename: ./{file.name}\nSize: {len(content)}\nSHA256: {hashlib.sha256(content).hexdigest()}\n")
    listed = "\n".join(entries).encode()
    (ARCHIVE / "Packages").write_bytes(listed)
    digest = hashlib.sha256(listed).hexdigest()
    (ARCHIVE / "Release").write_text(RELEASE.format(date=formatdate(usegmt=True), digest=digest, size=len(listed)))
    SOURCES.write_text(f"deb [trusted=yes] file:{ARCHIVE} ./\n")


if __name__ == "__main__":
    ARCHIVE.mkdir(exist_ok=True)
    build(sys.argv[1], sys.argv[2:])
    index()
    subprocess.run(["apt-get", "--quiet=2", "update"], check=True)
