"""What is known of the host in each slot, for other runs and for a developer."""

import json
from dataclasses import asdict, dataclass
from pathlib import Path

from tests.lab.places import SLOTS, Slot

BOOT_ID = Path("/proc/sys/kernel/random/boot_id")


@dataclass(frozen=True, kw_only=True)
class Record:
    """A host: where its directory is, and whether it stays when the run that made it ends."""

    directory: str
    release: str
    kind: str
    base: str
    kept: bool
    machine_boot: str


def this_boot() -> str:
    """Which boot of the machine this is; a record of another one tells of a host that is gone."""
    return BOOT_ID.read_text().strip()


def write(slot: Slot, record: Record) -> None:
    """Remember a host."""
    slot.record.write_text(json.dumps(asdict(record)))


def read(slot: Slot) -> Record | None:
    """What is remembered of the host in a slot; None when there is none."""
    try:
        return Record(**json.loads(slot.record.read_text()))
    except (FileNotFoundError, json.JSONDecodeError):
        return None


def all_of_them() -> dict[Slot, Record]:
    """Every host that is remembered."""
    return {slot: record for slot in SLOTS if (record := read(slot))}


def kept() -> dict[Slot, Record]:
    """The hosts that a developer keeps."""
    return {slot: record for slot, record in all_of_them().items() if record.kept and record.machine_boot == this_boot()}
