"""Say what a host lacks of its policy, in one program instead of a task for each question. Changes nothing.

Read by a task through standard input: `python3 - JSON`. The JSON holds `time_sync`, `security_updates` and `firewall` (whether each is
wanted). Prints one JSON object: `packages` (to install), `clock` (whether Debian's time synchronisation has to be switched on) and
`updates` (whether the program for unattended updates is there, or will be, so that it needs to be told what is wanted).
"""

from __future__ import annotations

import json
import subprocess
import sys

TIMESYNCD, UPGRADES = "systemd-timesyncd", "unattended-upgrades"
FIREWALL = ("nftables", "iproute2")
OTHER_CLOCKS = ("chrony", "ntp", "ntpsec", "openntpd")


def ask(*argv: str) -> str:
    """What a program prints, whatever its exit code."""
    return subprocess.run(argv, capture_output=True, text=True, check=False).stdout


def installed() -> set[str]:
    """Those of the packages that matter here which are installed."""
    names = (TIMESYNCD, UPGRADES, *FIREWALL, *OTHER_CLOCKS)
    rows = [line.split() for line in ask("dpkg-query", "--show", "--showformat=${Package} ${db:Status-Status}\n", *names).splitlines()]
    return {name for name, status in rows if status == "installed"}


def is_off(unit: str) -> bool:
    """Whether a unit does not start with the machine, or does not run although it could (in a container a clock cannot be set)."""
    shown = ask("systemctl", "show", "--property=UnitFileState,ActiveState,ConditionResult,ConditionTimestampMonotonic", unit)
    state = dict(line.split("=", 1) for line in shown.splitlines())
    refused = state.get("ConditionResult") == "no" and state.get("ConditionTimestampMonotonic", "0") != "0"
    return state.get("UnitFileState") != "enabled" or (state.get("ActiveState") != "active" and not refused)


def main(text: str) -> int:
    """Look and print."""
    wanted, there = json.loads(text), installed()
    own_clock = wanted["time_sync"] and there.isdisjoint(OTHER_CLOCKS)
    packages = {TIMESYNCD: own_clock, UPGRADES: wanted["security_updates"], **dict.fromkeys(FIREWALL, wanted["firewall"])}
    lacking = [name for name, needed in packages.items() if needed and name not in there]
    clock = own_clock and (TIMESYNCD in lacking or is_off(f"{TIMESYNCD}.service"))
    print(json.dumps({"packages": lacking, "clock": clock, "updates": wanted["security_updates"] or UPGRADES in there}))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
