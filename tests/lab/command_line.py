"""The lab by hand: hosts that stay until they are taken down."""

import argparse
import os
import shlex
import subprocess
import sys
from collections.abc import Sequence

from tests.lab import ability, locks, records, sweep
from tests.lab.base import KINDS
from tests.lab.clone import PLACE, clone_into
from tests.lab.host import LabHost
from tests.lab.lab import Lab
from tests.lab.places import SLOTS, Slot
from tests.lab.remote import Remote

RELEASES = ("bookworm", "trixie")


def up(chosen: argparse.Namespace) -> int:
    """Start hosts that stay."""
    lab = Lab.open()
    try:
        for host in lab.many(chosen.count, release=chosen.release, kind=chosen.kind, kept=True):
            lab.hosts.remove(host)
            print(f"{host.name}  {host.address}  {chosen.release}  {host.fingerprint}  {host.key_file}")
    finally:
        lab.close()
    print("Enter one with: python -m tests.lab ssh NAME; end them with: python -m tests.lab down")
    return 0


def ssh(chosen: argparse.Namespace) -> int:
    """Enter a host, or run a command on it, as root."""
    slot = _slot(chosen.name)
    directory = slot.directory
    remote = Remote(
        address=slot.address,
        port=22,
        known_hosts=directory / "known_hosts",
        root_key=directory / "root_key",
        key_file=directory / "key",
    )
    argv = remote.argv(chosen.user, *([shlex.join(chosen.command)] if chosen.command else []))
    return subprocess.run(argv if chosen.command else argv[:-1], check=False).returncode


def show(_: argparse.Namespace) -> int:
    """List the hosts that there are."""
    for slot, record in records.all_of_them().items():
        print(f"{slot.name}  {slot.address}  {record.release}  {record.kind}  {'kept' if record.kept else 'of a running test'}")
    return 0


def down(chosen: argparse.Namespace) -> int:
    """Take kept hosts down, and what dead runs left; hosts of running tests stay."""
    named = {_slot(name) for name in chosen.name} or set(SLOTS)
    with locks.guard():
        cleared = sweep.sweep(spare=[slot for slot in records.kept() if slot not in named])
        sweep.remove_shared_when_unused()
    print(f"Gone: {' '.join(cleared) or 'nothing was there'}")
    return 0


def bare(chosen: argparse.Namespace) -> int:
    """Run a command in this clone's HEAD on a host that has nothing but git; the host ends with it."""
    lab = Lab.open()
    try:
        host = lab.host(release=chosen.release, kind="bare")
        clone_into(host)
        return _run_in_clone(host, chosen.command)
    finally:
        lab.close()


def _run_in_clone(host: LabHost, command: Sequence[str]) -> int:
    line = f"cd {PLACE} && {shlex.join(command)}"
    return subprocess.run(host.remote.argv("root", line), stdin=subprocess.DEVNULL, check=False).returncode


def _slot(name: str) -> Slot:
    found = next((slot for slot in SLOTS if slot.name == name), None)
    if found is None or not records.read(found):
        raise SystemExit(f"There is no host {name}; `python -m tests.lab list` shows those that there are.")
    return found


def parse(argv: Sequence[str]) -> argparse.Namespace:
    """Read the command line; what follows `--` is the command for a host."""
    words = list(argv)
    command = words[words.index("--") + 1 :] if "--" in words else []
    parser = argparse.ArgumentParser(prog="python -m tests.lab", description=__doc__)
    verbs = parser.add_subparsers(required=True)
    verb = verbs.add_parser("up", help="start hosts that stay")
    verb.add_argument("--release", choices=RELEASES, default=RELEASES[0])
    verb.add_argument("--kind", choices=KINDS, default="server")
    verb.add_argument("--count", type=int, default=1)
    verb.set_defaults(run=up)
    verb = verbs.add_parser("ssh", help="enter a host, or run the command that follows --")
    verb.add_argument("name")
    verb.add_argument("--user", default="root")
    verb.set_defaults(run=ssh)
    verbs.add_parser("list", help="list hosts").set_defaults(run=show)
    verb = verbs.add_parser("down", help="take hosts down: those named, or all that were started by hand")
    verb.add_argument("name", nargs="*")
    verb.set_defaults(run=down)
    verb = verbs.add_parser("bare", help="run the command that follows -- in a clone of HEAD on a host with nothing but git")
    verb.add_argument("release", choices=RELEASES)
    verb.set_defaults(run=bare)
    chosen = parser.parse_args(words[: words.index("--")] if "--" in words else words)
    chosen.command = command
    return chosen


def main(argv: Sequence[str]) -> int:
    """Do what the command line says; returns the exit code."""
    os.environ.setdefault("LC_ALL", "C.UTF-8")
    chosen = parse(argv)
    try:
        return int(chosen.run(chosen))
    except ability.NoLab as reason:
        print(f"There can be no lab of hosts on this machine: {reason}.", file=sys.stderr)
        return 2
