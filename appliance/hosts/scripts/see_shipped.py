"""Print how far what is received in a spool (the argument) lies in each repository, and how much of it; nothing is changed.

One JSON object: `shipped` holds up to when, by outlet; `replayed_bytes` what has been written since the newest base, 0 without one.
"""

import json
import sys
from pathlib import Path

SEGMENT_BYTES = 16 * 1024**2
SEGMENTS_PER_LOG = 2**32 // SEGMENT_BYTES


def main() -> None:
    """Look and print."""
    spool = Path(sys.argv[1])
    noted = {file.name.removesuffix(".shipped.json"): json.loads(file.read_text()) for file in sorted(spool.glob("*.shipped.json"))}
    base = spool / "newest-base.json"
    began = segment_begin(json.loads(base.read_text())["segment"]) if base.exists() else None
    ends = [lsn_bytes(one["lsn"]) for one in noted.values() if "lsn" in one]
    replayed = max(0, max(ends) - began) if ends and began is not None else 0
    print(json.dumps({"shipped": {outlet: one["at"] for outlet, one in noted.items()}, "replayed_bytes": replayed}))


def segment_begin(name: str) -> int:
    """Where a segment of PostgreSQL's log begins, in bytes; its name is timeline, log and segment, each of eight digits."""
    return (int(name[8:16], 16) * SEGMENTS_PER_LOG + int(name[16:24], 16)) * SEGMENT_BYTES


def lsn_bytes(lsn: str) -> int:
    """A position in the log, in bytes."""
    high, _, low = lsn.partition("/")
    return (int(high, 16) << 32) + int(low, 16)


if __name__ == "__main__":
    main()
