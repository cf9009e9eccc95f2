"""Every fault of backups that is tried, by the name that it is chosen by with -k; and a few of them, for every day."""

from collections.abc import Callable
from functools import partial

from tests.faults.backup_harms import HARMS
from tests.faults.backup_killing import STRIKES, Moment, Phase, receive
from tests.faults.backup_neighbours import NEIGHBOURS
from tests.faults.backup_network import NETWORK
from tests.faults.backup_power import POWER
from tests.faults.backup_stage import Stage

KILLS: dict[str, Callable[[Stage], None]] = {
    f"{verb}-killed-{moment}": partial(strike, moment=moment)
    for verb, (strike, numbers) in STRIKES.items()
    for moment in (Moment(number=number, phase=phase) for number in numbers for phase in Phase)
}
FAULTS: dict[str, Callable[[Stage], None]] = {**KILLS, "stream-killed": receive, **POWER, **HARMS, **NEIGHBOURS, **NETWORK}
SAMPLE = (
    "backup-killed-5-together",
    "mark-killed-5-after",
    "backup-power-cut-5-after",
    "repository-full",
    "dump-dies",
    "lock-of-another",
    "two-appliances-back-up",
)
"""Where it hurts."""
