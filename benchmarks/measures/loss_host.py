"""How much work is lost with a whole host, at the worst moment: right before the log is shipped elsewhere again."""

import shutil
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from benchmarks.figure import Measure, Say, Taken
from benchmarks.keeping import Keeping, keeping
from benchmarks.losing import beating, kill_server, recovered
from benchmarks.privilege import require_root
from benchmarks.waiting import wait_until

SCALE, FILES, PORT = 10, 10, 23812
EVERY_SECONDS = 60
"""As the appliance does by itself."""
LONGEST_SECONDS = 62.0
"""The goal of the issue that asked for this: the reference is this figure, not another program."""
PAUSE_SECONDS = 0.05
BEFORE_SECONDS = 0.2
PATIENCE_SECONDS = 180


def take(rounds: int, say: Say) -> Taken:
    """Lose the host so often; the longest loss counts."""
    require_root("loss_host")
    lost = [_lost_seconds(say) for _ in range(rounds)]
    note = (
        f"The most of {rounds}: a row is committed every {PAUSE_SECONDS * 1000:.0f} ms, the log shipped each {EVERY_SECONDS} s to a REST "
        f"server with append-only; server, receiver and local repository are destroyed {BEFORE_SECONDS:g} s "
        f"before the next snapshot is expected "
        "there, and all that lies there is recovered. Seconds from the last row that came back to the loss. The reference is the longest "
        "that is wanted."
    )
    return Taken(ours=max(lost), reference=LONGEST_SECONDS, note=note)


def _lost_seconds(say: Say) -> float:
    with keeping(say, scale=SCALE, files=FILES) as kept, _elsewhere(kept) as repository:
        relay = {"repository": repository, "name": "elsewhere", "ship_every_seconds": EVERY_SECONDS}
        relay |= {name: kept.log[name] for name in ("crm", "spool")}
        with kept.received(every_seconds=EVERY_SECONDS, relays=[relay]):
            kept.run("base", base="base", **kept.log)
            kept.run("copy", repository=repository, source=kept.repository())
            with beating(kept.cluster, pause_seconds=PAUSE_SECONDS):
                time.sleep(_worst_moment(kept) - time.time())
                kill_server(kept.cluster)
                at = time.time()
                snapshots = len(_snapshots(kept))
        shutil.rmtree(kept.place / "ours")
        shutil.rmtree(kept.spool)
        with recovered(kept, repository=repository) as copy:
            last = float(copy.answer("select extract(epoch from max(at)) from heartbeat"))
    say(f"{at - last:.1f} s were lost; {snapshots} snapshots lay elsewhere")
    return at - last


def _worst_moment(kept: Keeping) -> float:
    """Right before a snapshot appears, as long after the one before as that was after its own."""
    appeared = []
    for _ in range(3):
        known = _snapshots(kept)
        wait_until(lambda: bool(_snapshots(kept) - known), seconds=PATIENCE_SECONDS, what="the log to be shipped elsewhere")  # noqa: B023 - called at once
        appeared.append(time.time())
    return appeared[-1] + (appeared[-1] - appeared[-2]) - BEFORE_SECONDS


def _snapshots(kept: Keeping) -> set[str]:
    return {path.name for path in (kept.place / "elsewhere" / "crm" / "snapshots").glob("*")}


@contextmanager
def _elsewhere(kept: Keeping) -> Iterator[dict[str, Any]]:
    """A REST server that lets things be added only, and how `python -m backup` is told of a repository there."""
    for name in ("user", "adding"):
        (kept.place / name).write_text(name)
    served = ["rclone", "serve", "restic", str(kept.place / "elsewhere"), "--addr", f"127.0.0.1:{PORT}", "--append-only"]
    with subprocess.Popen(
        [*served, "--user", "user", "--pass", "adding", "--config", "/nonexistent/rclone.conf"],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    ) as server:
        try:
            yield {
                "location": f"rest:http://127.0.0.1:{PORT}/crm/",
                "password_file": str(kept.password_file),
                "lock_directory": str(kept.place / "leases"),
                "credentials": {
                    "RESTIC_REST_USERNAME": str(kept.place / "user"),
                    "RESTIC_REST_PASSWORD": str(kept.place / "adding"),
                },
            }
        finally:
            server.terminate()


MEASURE = Measure(
    name="loss_host",
    title="work lost with a whole host at the worst moment, against the longest that is wanted",
    unit="s",
    goal=1.0,
    rounds=1,
    take=take,
)
